import type { NoteAction } from "../../wording/labels.ts";

/** What a reader can do, and how: a mail has no buttons, and no link in it does anything. */
export interface WayToAct {
  readonly label: string;
  /** Where, and what is typed or pressed there: on the command line, and in each chat platform there is. */
  readonly steps: readonly { readonly where: string; readonly what: string }[];
}

/** The chat platforms that a mail may speak of: those that are configured. */
export type ChatPlatform = "slack" | "teams";
export const chatPlatforms: readonly ChatPlatform[] = ["slack", "teams"];

/** `typed`: without the word that a command begins with in Slack; people in Teams just write to us. */
interface InChat {
  readonly typed?: string;
  readonly pressed?: string;
}

/** For the actions of a card or note about this request; what only a form can do is left out. */
export function waysToAct(
  actions: readonly NoteAction[],
  id: string,
  platforms: readonly ChatPlatform[],
): readonly WayToAct[] {
  const way = (label: string, command: string, chat: InChat): WayToAct => ({
    label,
    steps: [
      { where: "in a terminal", what: command },
      ...platforms.map((platform) => stepIn(platform, chat)),
    ],
  });
  return actions.flatMap((action) => wayTo(action, id, platforms, way) ?? []);
}

function stepIn(platform: ChatPlatform, { typed, pressed }: InChat): WayToAct["steps"][number] {
  const isSlack = platform === "slack";
  const command = typed === undefined ? undefined : isSlack ? `/jit ${typed}` : typed;
  const what = [command, pressed].filter((one) => one !== undefined).join(", then ");
  return { where: isSlack ? "in Slack" : "in Teams", what };
}

function wayTo(
  action: NoteAction,
  id: string,
  platforms: readonly ChatPlatform[],
  way: (label: string, command: string, chat: InChat) => WayToAct,
): WayToAct | undefined {
  switch (action) {
    case "approve":
      return way("Approve", `jit approve ${id}`, { typed: `approve ${id}` });
    case "approve_for_less":
      return way("Approve for less", `jit approve ${id} --for 1h`, { typed: `approve ${id} for 1h` });
    case "deny":
      return way("Deny", `jit deny ${id} --reason "why"`, { typed: `deny ${id} why` });
    case "details":
      return way("See all of it", `jit status ${id}`, { typed: `status ${id}` });
    case "revoke":
      return way("Revoke", `jit revoke ${id} --reason "why"`, { typed: `revoke ${id} why` });
    case "cancel":
      return way("Cancel it", `jit cancel ${id}`, { typed: `cancel ${id}` });
    case "show_credential":
      return way("Take it", `jit claim ${id}`, { typed: "home", pressed: "press Show credential" });
    case "replace_credential":
      return way("Replace the credential", `jit rotate ${id}`, {
        typed: "home",
        pressed: "press Replace credential",
      });
    case "extend":
      return way("Ask for more time", `jit extend ${id} --for 1h --reason "why"`, {
        typed: `extend ${id} for 1h because why`,
      });
    case "done":
      return way("End it when you are done", `jit done ${id}`, { typed: `done ${id}` });
    case "justified":
      return way("Judge it as justified", `jit review ${id} --justified --comment "why"`, {
        pressed: "press Justified on its card",
      });
    case "not_justified":
      return way("Judge it as not justified", `jit review ${id} --unjustified --comment "why"`, {
        pressed: "press Not justified on its card",
      });
    case "link":
      return undefined;
    case "link_other":
      // One way for both, which are only ever asked of administrators.
      return { label: linkLabel(platforms), steps: [] };
  }
}

function linkLabel(platforms: readonly ChatPlatform[]): string {
  const inFile = "write the account into the person's links";
  return platforms.length === 0
    ? `If you are sure who it is, ${inFile}`
    : `If you are sure who it is, press Link on this message in chat, or ${inFile}`;
}
