import type { NoteAction } from "../../wording/labels.ts";

/** An action of the reader, and how to take it elsewhere: e-mails have neither buttons nor links. */
export interface WayToAct {
  readonly label: string;
  /** What to type or press, on the command line and in each configured chat platform. */
  readonly steps: readonly { readonly where: string; readonly what: string }[];
}

/** The chat platforms that an e-mail may mention: the configured ones. */
export type ChatPlatform = "slack" | "teams";
export const chatPlatforms: readonly ChatPlatform[] = ["slack", "teams"];

/** `typed`: the command without `/jit`, which is needed in Slack only. */
interface InChat {
  readonly typed?: string;
  readonly pressed?: string;
}

/** The ways to take these actions of a card or note. Actions that need a form are left out. */
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
      // One entry for both link actions, which only administrators have.
      return { label: linkLabel(platforms), steps: [] };
  }
}

function linkLabel(platforms: readonly ChatPlatform[]): string {
  const inFile = "write the account into the person's links";
  return platforms.length === 0
    ? `If you are sure who it is, ${inFile}`
    : `If you are sure who it is, press Link on this message in chat, or ${inFile}`;
}
