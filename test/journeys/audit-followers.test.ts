import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openMailServer } from "../notify/email/support/mail-server.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { runProgram, startProgram, type ProgramOptions } from "../support/program.ts";
import { openReceiver, type Receiver } from "../notify/webhooks/support/receiver.ts";

leavesNothingBehind();

const people = [
  { id: "id_dev", email: "dev@company.com", name: "Dev" },
  { id: "id_lead", email: "lead@company.com", name: "Lead" },
];
const events = ["request.*", "approval.*", "grant.*"];

function optionsFor(receiver: Receiver, more: ProgramOptions = {}): ProgramOptions {
  return {
    config: {
      identities: people,
      default: { name: "default", approval: { stages: [{ approvers: ["lead@company.com"] }] } },
      webhooks: [{ name: "siem", url: receiver.url, events, secret: "env:SIEM_SECRET", allowPrivate: true }],
    },
    ...more,
    env: { SIEM_SECRET: receiver.secret, AUDIT_FILE: "audit.jsonl", ...more.env },
  };
}

const linesOf = (file: string): readonly unknown[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line));

test("one request is e-mailed, sent to a webhook and written to a file, each complete and in order", async () => {
  const [receiver, mail] = [await openReceiver(), await openMailServer()];
  const env = { SMTP_URL: mail.url, EMAIL_FROM: "JIT Access <jit@company.com>" };
  const program = await startProgram(optionsFor(receiver, { env }));
  const [dev, lead] = [await program.person("dev"), await program.person("lead")];
  const { id } = (await dev.ask({ scopes: ["read:prod:orders-db"] })).body;
  const readers = () =>
    mail.received
      .filter(({ mail: { headers } }) => headers.get("x-jit-request") === id)
      .map((one) => one.to[0]);
  await expect.poll(readers).toContain("lead@company.com");
  await lead.act(id, "approve");
  expect((await dev.act(id, "claim")).http).toBe(200);
  await dev.act(id, "complete");

  await expect.poll(readers).toContain("dev@company.com");

  const wanted = (await program.audit()).filter(({ action }) => /^(request|approval|grant)\./.test(action));
  await expect.poll(() => receiver.received.map((one) => one.message.data)).toEqual(wanted);

  const file = join(program.folder, "audit.jsonl");
  await expect.poll(async () => linesOf(file).length === (await program.audit()).length).toBe(true);
  expect(linesOf(file)).toEqual(await program.audit());

  renameSync(file, `${file}.1`);
  program.hup();
  await program.logged("configuration loaded", program.log.length);
  await dev.ask({ scopes: ["read:prod:other"] });
  await expect
    .poll(async () => linesOf(`${file}.1`).length + linesOf(file).length)
    .toBe((await program.audit()).length);
  expect([...linesOf(`${file}.1`), ...linesOf(file)]).toEqual(await program.audit());
  await program.stop();
});

test("killed while events are sent and written: nothing is lost, at most one is sent twice, none written twice", async () => {
  const receiver = await openReceiver();
  const folder = temporaryFolder();
  const options = optionsFor(receiver, { folder });
  for (let round = 0; round < 3; round++) {
    const program = await startProgram(options);
    const dev = await program.person("dev");
    const asks = Array.from({ length: 6 }, (_, index) =>
      dev.ask({ scopes: [`read:prod:${round}-${index}`] }).catch(() => undefined),
    );
    await Promise.race(asks);
    await program.kill();
    await Promise.allSettled(asks);
  }
  const sentBefore = receiver.received.length;
  const program = await startProgram(options);
  const wanted = async () =>
    (await program.audit()).filter(({ action }) => /^(request|grant)\./.test(action));
  const distinct = () => [...new Set(receiver.seqs())];
  await expect.poll(async () => distinct().length >= (await wanted()).length).toBe(true);
  expect(distinct()).toEqual((await wanted()).map((one) => one.seq));
  expect(receiver.received.length - distinct().length).toBeLessThanOrEqual(3);
  expect(new Set(receiver.received.map((one) => one.id)).size).toBe(distinct().length);
  expect(sentBefore).toBeGreaterThan(0);
  const file = join(folder, "audit.jsonl");
  await expect.poll(async () => linesOf(file).length >= (await program.audit()).length).toBe(true);
  expect(linesOf(file)).toEqual(await program.audit());
  await program.stop();
});

test("an audit file that cannot be written, or a webhook without its secret, stops the start and is named", async () => {
  const receiver = await openReceiver();
  const nowhere = await runProgram(optionsFor(receiver, { env: { AUDIT_FILE: "missing/audit.jsonl" } }));
  expect(nowhere).toMatchObject({ code: 1, error: expect.stringContaining("AUDIT_FILE cannot be written") });
  const unset = await runProgram(optionsFor(receiver, { env: { SIEM_SECRET: "" } }));
  expect(unset).toMatchObject({ code: 1, error: expect.stringContaining("webhooks.0.secret") });
});
