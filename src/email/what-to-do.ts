import type { NoteAction } from "../words/labels.ts";

/** What a reader can do, and how: a mail has no buttons, and no link in it does anything. */
export interface WayToAct {
  readonly label: string;
  /** On the command line. */
  readonly command: string | null;
  /** In Slack or Microsoft Teams. */
  readonly chat: string | null;
}

/** For the actions of a card or note about this request; what only a form can do is left out. */
export function waysToAct(actions: readonly NoteAction[], id: string): readonly WayToAct[] {
  return actions.flatMap((action) => wayTo(action, id) ?? []);
}

function wayTo(action: NoteAction, id: string): WayToAct | undefined {
  switch (action) {
    case "approve":
      return way("Approve", `jit approve ${id}`, `/jit approve ${id}`);
    case "approve_for_less":
      return way("Approve for less", `jit approve ${id} --for 1h`, `/jit approve ${id} for 1h`);
    case "deny":
      return way("Deny", `jit deny ${id} --reason "why"`, `/jit deny ${id} why`);
    case "details":
      return way("See all of it", `jit status ${id}`, `/jit status ${id}`);
    case "revoke":
      return way("Revoke", `jit revoke ${id} --reason "why"`, `/jit revoke ${id} why`);
    case "cancel":
      return way("Cancel it", `jit cancel ${id}`, `/jit cancel ${id}`);
    case "show_credential":
      return way("Take it", `jit claim ${id}`, "/jit home, then press Show credential");
    case "replace_credential":
      return way("Replace the credential", `jit rotate ${id}`, "/jit home, then press Replace credential");
    case "extend":
      return way(
        "Ask for more time",
        `jit extend ${id} --for 1h --reason "why"`,
        `/jit extend ${id} for 1h because why`,
      );
    case "done":
      return way("End it when you are done", `jit done ${id}`, `/jit done ${id}`);
    case "justified":
      return way(
        "Judge it as justified",
        `jit review ${id} --justified --comment "why"`,
        "press Justified on its card",
      );
    case "not_justified":
      return way(
        "Judge it as not justified",
        `jit review ${id} --unjustified --comment "why"`,
        "press Not justified on its card",
      );
    case "link":
      return undefined;
    case "link_other":
      // One way for both, which are only ever asked of administrators.
      return way(
        "If you are sure who it is, press Link on this message in chat, or write the account into the person's links",
        null,
        null,
      );
  }
}

function way(label: string, command: string | null, chat: string | null): WayToAct {
  return { label, command, chat };
}
