/** Every command of `/jit`, in the order help lists them. */
export const commandNames = [
  "request",
  "list",
  "status",
  "approve",
  "deny",
  "revoke",
  "cancel",
  "done",
  "extend",
  "break-glass",
  "why",
  "link",
  "home",
  "help",
] as const;
export type CommandName = (typeof commandNames)[number];

/** What was asked for, as it was typed; null for what was left out. */
export interface TypedAsk {
  readonly scopes: readonly string[];
  readonly duration: string | null;
  readonly reason: string | null;
  readonly ticket: string | null;
}

/** One command, understood. Ids are whole (`jit_…`); null words were not given. */
export type Command =
  | { readonly verb: "menu" | "list" | "link" | "home" }
  | { readonly verb: "help"; readonly topic: CommandName | null }
  | ({ readonly verb: "request" | "break-glass" } & TypedAsk)
  | { readonly verb: "why"; readonly scopes: readonly string[]; readonly duration: string | null }
  | { readonly verb: "status"; readonly id: string }
  | {
      readonly verb: "approve";
      readonly id: string;
      readonly duration: string | null;
      readonly comment: string | null;
    }
  | {
      readonly verb: "deny" | "revoke" | "cancel" | "done";
      readonly id: string;
      readonly reason: string | null;
    }
  | {
      readonly verb: "extend";
      readonly id: string;
      readonly duration: string | null;
      readonly reason: string | null;
    };

/** What could not be understood, in one sentence, and the command that was probably meant, as it would be typed. */
export interface Mistake {
  readonly mistake: string;
  readonly didYouMean: string | null;
  /** The command it is about, for its help. */
  readonly topic: CommandName | null;
}

/** Reads what was typed after `/jit`. Total: any text is a command or a mistake. */
export function parseCommand(text: string): Command | Mistake {
  void text;
  return { verb: "menu" };
}
