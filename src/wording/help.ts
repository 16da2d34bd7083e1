import type { Line } from "./card-text.ts";
import { commandNames, type CommandName } from "./parse-command.ts";

/** The prefix of commands on platforms with slash commands. */
export const slashPrefix = "/jit ";

export interface CommandHelp {
  /** The syntax; parts in brackets are optional. */
  readonly usage: string;
  readonly does: string;
  /** Commands that work as written. */
  readonly examples: readonly string[];
}

/** The help for every command; also the table in docs/chat.md. */
export const commandHelp: { readonly [Name in CommandName]: CommandHelp } = {
  request: {
    usage: "request [scopes] [for 2h] [because …] [ticket INC-42]",
    does: "Asks for access. Without scopes, time or reason it opens the form with what you typed.",
    examples: [
      "request",
      "request read:prod:orders-db for 2h because INC-42",
      "request read:prod:orders-db, write:prod:orders-db for 30m because of a stuck job ticket OPS-7",
    ],
  },
  list: {
    usage: "list",
    does: "Your open requests and active access.",
    examples: ["list"],
  },
  status: {
    usage: "status <id>",
    does: "One request as it stands now.",
    examples: ["status jit_xyz789", "status xyz789"],
  },
  approve: {
    usage: "approve <id> [for 1h] [because …]",
    does: "Approves, if you are one of its approvers; with a time, for less than was asked.",
    examples: ["approve jit_xyz789", "approve jit_xyz789 for 1h because the fix is small"],
  },
  deny: {
    usage: "deny <id> <reason>",
    does: "Denies, if you are one of its approvers. Without a reason it asks for one.",
    examples: ["deny jit_xyz789 use the replica instead"],
  },
  revoke: {
    usage: "revoke <id> <reason>",
    does: "Ends access early, if you are one of its approvers, its reviewer or an administrator.",
    examples: ["revoke jit_xyz789 the incident is over"],
  },
  cancel: {
    usage: "cancel <id> [reason]",
    does: "Withdraws your own request before the access has started.",
    examples: ["cancel jit_xyz789"],
  },
  done: {
    usage: "done <id> [note]",
    does: "Ends your own access now, because you do not need it any more.",
    examples: ["done jit_xyz789", "done jit_xyz789 index rebuilt"],
  },
  extend: {
    usage: "extend <id> [for 1h] [because …]",
    does: "Asks for more time on your own access. Without time or reason it opens the form.",
    examples: ["extend jit_xyz789 for 1h because the restore is still running"],
  },
  "break-glass": {
    usage: "break-glass [scopes] [for 30m] [because …] [ticket INC-42]",
    does: "Takes access in an emergency without approval. It always opens the form first: people are alerted and your use is reviewed.",
    examples: ["break-glass", "break-glass write:prod:orders-db for 30m because INC-42"],
  },
  why: {
    usage: "why <scopes> [for 2h]",
    does: "Tries it out: who would be asked, or why not. Nothing is sent.",
    examples: ["why read:prod:orders-db", "why read:prod:orders-db for 8h"],
  },
  link: {
    usage: "link",
    does: "Says who you are linked to, or asks an administrator to link you.",
    examples: ["link"],
  },
  home: {
    usage: "home",
    does: "What waits for your decision, your active access, pending and recent requests.",
    examples: ["home"],
  },
  help: {
    usage: "help [command]",
    does: "This list, or more about one command.",
    examples: ["help", "help request"],
  },
};

/** Help on one command or on all. `prefix`: how commands begin on this platform, `/jit ` or nothing. */
export function helpLines(topic: CommandName | null, prefix: string = slashPrefix): readonly Line[] {
  if (topic !== null) {
    const { usage, does, examples } = commandHelp[topic];
    return [
      [`${prefix}${usage}`],
      [does],
      ...examples.map((example): Line => [`For example: ${prefix}${example}`]),
    ];
  }
  return [
    ...commandNames.map((name): Line => [`${prefix}${commandHelp[name].usage}: ${commandHelp[name].does}`]),
    ["A scope is action:resource, such as read:prod:orders-db. An id may be typed without jit_."],
  ];
}
