import * as fc from "fast-check";
import { isRefusal, type Refusal } from "../../../src/core/values/refusals.ts";
import { dayMs, hourMs, minuteMs } from "../../../src/core/values/time.ts";
import type { Status } from "../../../src/core/access/status.ts";
import { createRunners } from "../../../src/background/outbox/runners/effect-runners.ts";
import { createRelay } from "../../../src/background/outbox/relay.ts";
import type { Caller } from "../../../src/service/ports/caller.ts";
import type { CommandResult } from "../../../src/service/request-commands.ts";
import type { RequestView } from "../../../src/service/views/request-view.ts";
import { createExpirySweep, createRequestSweep } from "../../../src/background/sweeps/request-sweeps.ts";
import type { ServiceHarness } from "./service-harness.ts";
import { load } from "./random-policies.ts";

const names = ["dev", "lead", "ann", "bob", "cid", "sec", "sam", "cto", "bot"] as const;
type Name = (typeof names)[number];
const anyone = fc.constantFrom<Name>(...names);
const askers = fc.constantFrom<Name>("dev", "dev", "ann", "bot");
const deciders = fc.constantFrom<Name>("ann", "bob", "cid", "sec", "sam", "lead", "cto", "dev");

function mostly(value: boolean): fc.Arbitrary<boolean> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant(value) },
    { weight: 1, arbitrary: fc.constant(!value) },
  );
}

/** `fitting`: a request in a fitting status is chosen, so that runs make progress. */
const act = fc.record({ by: deciders, which: fc.nat(), fitting: mostly(true) });

/** One action of a person, or one event. */
const command = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("ask"),
      by: askers,
      subject: fc.option(askers, { nil: undefined, freq: 4 }),
      scopes: fc.uniqueArray(
        fc.constantFrom("read:dev:a", "read:dev:b", "write:prod:x", "read:prod:y", "read:cap:z"),
        {
          minLength: 1,
          maxLength: 2,
        },
      ),
      duration: fc.constantFrom("30m", "1h", "4h"),
      breakGlass: fc.oneof(
        { weight: 5, arbitrary: fc.constant(false) },
        { weight: 1, arbitrary: fc.constant(true) },
      ),
    }),
  },
  { weight: 12, arbitrary: fc.record({ do: fc.constant("approve"), act, less: fc.boolean() }) },
  ...(["deny", "cancel", "revoke", "reviewGood", "reviewBad", "report"] as const).map((verb) => ({
    weight: 1,
    arbitrary: fc.record({ do: fc.constant(verb), act }),
  })),
  ...(["claim", "claim", "rotate", "complete", "extend", "extend", "completeByToken"] as const).map(
    (verb) => ({
      weight: 2,
      arbitrary: fc.record({ do: fc.constant(verb), act }),
    }),
  ),
  { weight: 3, arbitrary: fc.record({ do: fc.constant("tick"), act }) },
  { weight: 1, arbitrary: fc.constant({ do: "sweep" } as const) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("switch"), name: anyone, active: mostly(true) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lockdown"), on: mostly(false) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("load"), book: fc.nat(), crew: fc.nat() }) },
);
export type RandomCommand = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** Batches of concurrent actions, with time between them. */
export const randomDay = fc.array(
  fc.record({
    together: fc.array(command, { minLength: 1, maxLength: 4 }),
    passMs: fc.oneof(
      { weight: 9, arbitrary: fc.nat({ max: 8 * minuteMs }) },
      { weight: 1, arbitrary: fc.constantFrom(30 * minuteMs, hourMs, 4 * hourMs, 8 * hourMs, dayMs) },
    ),
  }),
  { minLength: 30, maxLength: 60, size: "max" },
);

/** A token that was shown, with the credential it is. */
export interface ShownToken {
  readonly token: string;
  readonly credentialId: string;
  readonly requestId: string;
}

export interface RandomRun {
  readonly harness: ServiceHarness;
  readonly requests: string[];
  readonly tokens: ShownToken[];
  /** Codes of refusals and statuses of answers, counted. */
  readonly said: Map<string, number>;
  /** Runs the pending effects. */
  settle(): Promise<void>;
  play(one: RandomCommand): Promise<void>;
}

/** @param settle Absent: the effects are run, by a relay of its own that must not fail. */
export async function beginRandomRun(
  harness: ServiceHarness,
  settle?: () => Promise<void>,
): Promise<RandomRun> {
  const run: Omit<RandomRun, "play" | "settle"> = { harness, requests: [], tokens: [], said: new Map() };
  await load(harness, 0, 0);
  const began = { ...run, play: (one: RandomCommand) => play(run, one) };
  return { ...began, settle: settle ?? settling(harness) };
}

function settling(harness: ServiceHarness): () => Promise<void> {
  const relay = createRelay(
    harness.store,
    harness.context.runtime,
    createRunners(harness.context, harness.services, { info: () => {}, warn: () => {} }),
    (fault) => {
      throw fault;
    },
  );
  return () => relay.drain();
}

type Playing = Omit<RandomRun, "play" | "settle">;

async function play(run: Playing, one: RandomCommand): Promise<void> {
  const { harness } = run;
  const { services, store, clock } = harness;
  switch (one.do) {
    case "ask":
      return note(run, await ask(run, one));
    case "sweep":
      for (const create of [createExpirySweep, createRequestSweep]) {
        await create(store, services.grants, clock).run(new AbortController().signal);
      }
      return;
    case "switch": {
      const said = await services.directory.change(await standing(harness), `id_${one.name}`, {
        active: one.active,
      });
      return count(run, isRefusal(said) ? said.refused : "switched");
    }
    case "lockdown":
      await services.lockdown.change(await standing(harness), one.on, "drill");
      return;
    case "load":
      return load(harness, one.book, one.crew);
    default:
      return playOnRequest(run, one);
  }
}

async function ask(
  { harness }: Playing,
  { by, subject = by, scopes, duration, breakGlass }: Extract<RandomCommand, { do: "ask" }>,
): Promise<CommandResult | Refusal> {
  const caller = await harness.caller(by, "requester", "admin");
  const input = { identityId: `id_${subject}`, reason: "an incident", scopes, duration, breakGlass };
  return harness.services.requestCommands.ask(caller, input);
}

type OnRequest = Extract<RandomCommand, { act: unknown }>;

/** Statuses in which the verb makes sense. */
const fit: Partial<Record<OnRequest["do"], Status>> = {
  approve: "PENDING",
  deny: "PENDING",
  claim: "APPROVED",
  rotate: "ACTIVE",
  complete: "ACTIVE",
  extend: "ACTIVE",
  revoke: "ACTIVE",
};

/** An auditor and administrator who is never deactivated. */
export async function standing(harness: ServiceHarness): Promise<Caller> {
  const caller = await harness.caller("cto", "admin", "auditor");
  return { ...caller, identity: { ...caller.identity, enabled: true, listed: true } };
}

async function target(run: Playing, one: OnRequest): Promise<RequestView | undefined> {
  const { requestQueries: reading } = run.harness.services;
  const status = one.act.fitting ? fit[one.do] : undefined;
  const page = await reading.list(await standing(run.harness), { ...(status && { status }) }, { limit: 5 });
  return isRefusal(page) ? undefined : page.rows[one.act.which % page.rows.length];
}

async function playOnRequest(run: Playing, one: OnRequest): Promise<void> {
  const { harness, tokens } = run;
  const { requestCommands, grants, tokenChecks: checking } = harness.services;
  const view = await target(run, one);
  if (view === undefined) return;
  const { id } = view;
  const waiting = view.approvers.filter((approver) => approver.status === "PENDING");
  const fitting =
    one.do === "approve" && one.act.fitting ? waiting[one.act.which % waiting.length] : undefined;
  const caller = await harness.caller(fitting === undefined ? one.act.by : nameOf(fitting.identityId));
  const holder = async () => harness.caller(nameOf(view.identityId));
  const shown = tokens[one.act.which % Math.max(1, tokens.length)];
  switch (one.do) {
    case "approve":
      return note(run, await requestCommands.approve(caller, id, one.less ? { duration: "20m" } : {}));
    case "deny":
      return note(run, await requestCommands.deny(caller, id, "no"));
    case "cancel":
      return note(run, await requestCommands.cancel(await holder(), id));
    case "revoke":
      return note(run, await requestCommands.revoke(caller, id, "enough"));
    case "reviewGood":
      return note(run, await requestCommands.review(caller, id, { outcome: "justified", comment: "seen" }));
    case "reviewBad":
      return note(run, await requestCommands.review(caller, id, { outcome: "unjustified", comment: "no" }));
    case "claim":
      return note(run, await requestCommands.claim(await holder(), id));
    case "rotate":
      return note(run, await requestCommands.rotate(await holder(), id));
    case "complete":
      return note(run, await requestCommands.complete(await holder(), id));
    case "extend":
      return note(run, await requestCommands.extend(await holder(), id, { duration: "1h", reason: "more" }));
    case "tick":
      await grants.tick(id);
      return;
    case "report":
      return shown && checking.report(shown.token);
    case "completeByToken":
      return shown && note(run, await requestCommands.completeByToken(shown.token, shown.requestId));
  }
}

function nameOf(identityId: string): string {
  return identityId.slice("id_".length);
}

function note(run: Playing, answer: CommandResult | Refusal): void {
  count(run, isRefusal(answer) ? answer.refused : answer.request.status);
  if (isRefusal(answer)) return;
  const { request, credential } = answer;
  if (!run.requests.includes(request.id)) run.requests.push(request.id);
  if (credential === undefined) return;
  run.tokens.push({ token: credential.token, credentialId: credential.id, requestId: request.id });
}

function count({ said }: Playing, code: string): void {
  said.set(code, (said.get(code) ?? 0) + 1);
}
