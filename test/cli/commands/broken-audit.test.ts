import { expect, test } from "vitest";
import { fakeService } from "../support/fake-service.ts";
import { jit } from "../support/run-jit.ts";

test("a broken audit log is exit 1 and names the first bad record", async () => {
  const body = { ok: false, events: 20, head: "ab", firstBad: { seq: 17, kind: "hash" } };
  const { url } = await fakeService({ body });
  const { code, out, err } = await jit(["audit", "verify"], { url });
  expect(code).toBe(1);
  expect(out).toMatch(/^Chain +BROKEN$/m);
  expect(out).toMatch(/^First bad +record 17 \(hash\)$/m);
  expect(err).toContain("(audit_broken)");
  const json = await jit(["audit", "verify", "--json"], { url });
  expect({ code: json.code, out: json.out }).toEqual({ code: 1, out: `${JSON.stringify(body)}\n` });
});

test("a kept head is compared: missing records at the end exit 1, a log that contains it exits 0", async () => {
  const head = "c".repeat(64);
  const missing = [{ kind: "request", id: "jit_a" }];
  const cut = await fakeService({ body: { ok: false, events: 3, head: "ab", tail: "shorter", missing } });
  const { code, out, err } = await jit(["audit", "verify", "--seq", "7", "--head", head], { url: cut.url });
  expect(code).toBe(1);
  expect(out).toMatch(/^Chain +unbroken$/m);
  expect(out).toMatch(/^Tail +shorter$/m);
  expect(out).toMatch(/^No record of +jit_a$/m);
  expect(err).toContain("Records were cut off at the end of the audit log. (audit_broken)");
  const whole = await fakeService({ body: { ok: true, events: 9, head: "ab", tail: "matches" } });
  const said = await jit(["audit", "verify", "--seq", "7", "--head", head], { url: whole.url });
  expect([said.code, said.err]).toEqual([0, ""]);
  const half = await jit(["audit", "verify", "--seq", "7"], { url: whole.url });
  expect([half.code, half.err]).toEqual([2, expect.stringContaining("--seq and --head come together")]);
});
