import { expect, test } from "vitest";
import { formatToken } from "../../src/core/values/token-format.ts";
import { createLogger } from "../../src/app/observability/logger.ts";

test("no secret reaches a log line, at any position", () => {
  const lines: string[] = [];
  const log = createLogger("info", (line) => lines.push(line));
  const token = formatToken("jit", "x".repeat(30));
  const key = formatToken("live", "y".repeat(30));
  log.info({ header: `Bearer ${token}`, nested: { key } }, `claimed ${token}`);
  log.error(new Error("connect postgres://jit:hunter2@db:5432/orders failed"));
  log.info("xoxb-12-34-abc xapp-1-A-b whsec_c2VjcmV0 Bearer eyJhbGciOi.x.y Basic dXNlcjpwYXNz");
  log.info(`first line\n${key}\txoxb-56-78-def\nwhsec_bmV3bGluZQ\nBearer bmV4dA.x.y`);
  const all = lines.join("");
  for (const secret of [
    token,
    key,
    "hunter2",
    "xoxb-12",
    "xapp-1-",
    "c2VjcmV0",
    "eyJhbGciOi",
    "dXNlcjpwYXNz",
    "xoxb-56",
    "bmV3bGluZQ",
    "bmV4dA",
  ]) {
    expect(all).not.toContain(secret);
  }
  expect(all).toContain(`kd_jit_…${token.slice(-4)}`);
  expect(all).toContain("postgres://jit:…@db:5432/orders");
});
