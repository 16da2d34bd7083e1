import { pino } from "pino";
import { expect, test } from "vitest";
import { createReloads, type ReloadPorts } from "../../src/app/reloads.ts";
import { StartupError } from "../../src/app/startup-error.ts";
import { at } from "../support/fixtures.ts";

const loaded = { file: "jit.yaml", identities: 1, policies: 0, changed: 0, warnings: [] };

/** Reloads whose loads the test completes, in order. */
function controlled(more: Partial<ReloadPorts> = {}) {
  const readings: { readonly end: (error?: Error) => void }[] = [];
  const records: (readonly string[])[] = [];
  const lines: { readonly level: string; readonly msg: string }[] = [];
  let time = 0;
  const reloads = createReloads({
    load: async () => {
      const { promise, resolve, reject } = Promise.withResolvers<typeof loaded>();
      readings.push({ end: (error) => (error === undefined ? resolve(loaded) : reject(error)) });
      return promise;
    },
    record: async (problems) => void records.push(problems),
    now: () => at(time++),
    log: pino(
      { formatters: { level: (level) => ({ level }) } },
      { write: (line: string) => void lines.push(JSON.parse(line)) },
    ),
    ...more,
  });
  /** Lets resolved promises continue. */
  const settle = async () => new Promise((done) => setImmediate(done));
  return { reloads, readings, records, lines, settle };
}

test("reloads never overlap: requests during one share the next", async () => {
  const { reloads, readings, settle } = controlled();
  const first = reloads.request();
  await settle();
  const [second, third] = [reloads.request(), reloads.request()];
  await settle();
  expect(readings).toHaveLength(1);
  readings[0]?.end();
  expect(await first).toMatchObject({ ok: true });
  await settle();
  expect(readings).toHaveLength(2);
  const fourth = reloads.request();
  readings[1]?.end(new StartupError(["jit.yaml:1:1 is wrong"]));
  expect([await second, await third]).toEqual([
    { ok: false, problems: ["jit.yaml:1:1 is wrong"] },
    { ok: false, problems: ["jit.yaml:1:1 is wrong"] },
  ]);
  await settle();
  readings[2]?.end();
  expect(await fourth).toMatchObject({ ok: true });
  expect(readings).toHaveLength(3);
});

test("a rejected reload is recorded, logged and in the state until one succeeds; secrets are masked", async () => {
  const { reloads, readings, records, lines, settle } = controlled();
  expect(reloads.state()).toEqual({ loadedAt: at(0) });
  const refused = reloads.request();
  await settle();
  readings[0]?.end(new StartupError(["url: postgres://jit:hunter2@db/x is wrong", "two"]));
  const problems = ["url: postgres://jit:…@db/x is wrong", "two"];
  expect(await refused).toEqual({ ok: false, problems });
  expect(records).toEqual([problems]);
  expect(lines).toMatchObject([
    { level: "error", msg: "reload rejected, configuration unchanged", problems },
  ]);
  expect(reloads.state()).toEqual({ loadedAt: at(0), refused: { at: at(1), problems: 2 } });
  const taken = reloads.request();
  await settle();
  readings[1]?.end();
  await taken;
  expect(reloads.state()).toEqual({ loadedAt: at(2) });
});

test("an unexpected error rejects the reload too, and an unwritable record does not change the result", async () => {
  const { reloads, readings, lines, settle } = controlled({
    record: async () => {
      throw new Error("the disk is full");
    },
  });
  const answer = reloads.request();
  await settle();
  readings[0]?.end(new Error("the database is away"));
  expect(await answer).toEqual({ ok: false, problems: ["The reload failed: the database is away"] });
  expect(lines.map(({ msg }) => msg)).toEqual(["reload failed", "background error"]);
  expect(reloads.state().refused).toMatchObject({ problems: 1 });
});

test("ending waits for the running reload; later and waiting requests are refused", async () => {
  const { reloads, readings, settle } = controlled();
  const running = reloads.request();
  await settle();
  const waiting = reloads.request();
  const ended = reloads.end();
  expect(await reloads.request()).toEqual({ ok: false, problems: ["The service is stopping."] });
  readings[0]?.end();
  await ended;
  expect([await running, await waiting]).toMatchObject([{ ok: true }, { ok: false }]);
  expect(readings).toHaveLength(1);
});
