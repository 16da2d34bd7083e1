import { expect, test } from "vitest";
import { fakeService } from "./support/fake-service.ts";
import { jit } from "./support/jit.ts";

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
