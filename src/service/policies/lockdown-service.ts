import type { Refusal } from "../../core/values/refusals.ts";
import { actorOf, lacksRole, type Caller } from "../ports/caller.ts";
import type { RedactTokens } from "../guards/redact-tokens.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import type { AuditRow, Step } from "../ports/store.ts";
import { decideAndCommit, recordOnly } from "../decisions/decide-and-commit.ts";

/** Whether a lockdown is on, and who changed it last; null when nobody ever has. */
export interface Lockdown {
  readonly on: boolean;
  readonly last: {
    /** RFC 3339. */
    readonly at: string;
    readonly byName: string;
    readonly reason: string;
  } | null;
}

export interface LockdownService {
  read(caller: Caller): Promise<Lockdown | Refusal>;
  change(caller: Caller, on: boolean, reason: string): Promise<{ readonly on: boolean } | Refusal>;
}

const pageSize = 200;

export function createLockdownService(context: ServiceContext, redactTokens: RedactTokens): LockdownService {
  return {
    read: async (caller) => lacksRole(caller, "admin", "auditor") ?? read(context),
    change: async (caller, on, reason) =>
      lacksRole(caller, "admin") ?? change(context, caller, on, await redactTokens(reason)),
  };
}

async function read(context: ServiceContext): Promise<Lockdown> {
  const { lockdown: on } = (await context.rulebook()).book;
  const last = await lastChange(context);
  return { on, last: last === undefined ? null : changeOf(last) };
}

/** The last change in the audit log, found by its index. There are only few. */
async function lastChange({ store }: ServiceContext): Promise<AuditRow | undefined> {
  let last: AuditRow | undefined;
  for (;;) {
    const filter = { after: last?.seq ?? 0, limit: pageSize, action: "lockdown.changed" };
    const rows: readonly AuditRow[] = await store.auditEvents(filter);
    last = rows.at(-1) ?? last;
    if (rows.length < pageSize) return last;
  }
}

function changeOf({ body }: AuditRow): Lockdown["last"] {
  const { at, actor, data } = JSON.parse(body);
  return { at, byName: actor.name, reason: data.reason };
}

async function change(
  context: ServiceContext,
  caller: Caller,
  on: boolean,
  reason: string,
): Promise<{ readonly on: boolean } | Refusal> {
  return decideAndCommit(context.store, async () => {
    const { book } = await context.rulebook();
    // Repeating it changes nothing: the first person and reason stay the answer.
    if (book.lockdown === on) return { step: recordOnly([]), result: { on } };
    const at = context.runtime.now();
    const step: Step = {
      ...recordOnly([{ at, action: "lockdown.changed", actor: actorOf(caller), data: { on, reason } }]),
      expects: [{ kind: "rulebook", id: "rulebook", version: book.version }],
      writes: [{ kind: "lockdown", on }],
    };
    return { step, result: { on } };
  });
}
