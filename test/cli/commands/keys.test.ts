import { expect, test } from "vitest";
import { parseToken } from "../../../src/core/values/token-format.ts";
import { dayMs } from "../../../src/core/values/time.ts";
import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { fakeService } from "../support/fake-service.ts";
import { jit, virtualStart } from "../support/run-jit.ts";

leavesNothingBehind();

const key = (id: string, lifeDays: number, leftDays: number | null) => ({
  id,
  identityId: "id_dev",
  roles: ["requester"],
  name: null,
  last4: "abcd",
  mintedBy: "id_admin",
  createdAt: new Date(virtualStart + ((leftDays ?? 0) - lifeDays) * dayMs).toISOString(),
  expiresAt: leftDays === null ? null : new Date(virtualStart + leftDays * dayMs).toISOString(),
});

test("keys list says which keys expire within a week, except short-lived ones", async () => {
  const data = [
    key("key_soon", 90, 6.5),
    key("key_later", 90, 7.5),
    key("key_short", 10, 1),
    key("key_over", 90, -1),
    key("key_for_ever", 90, null),
  ];
  const { url } = await fakeService({ body: { data, nextCursor: null } });
  const { code, err } = await jit(["keys", "list"], { url });
  expect({ code, err }).toEqual({ code: 0, err: "jit: key_soon (…abcd) of id_dev expires in 6d12h.\n" });
});

test("keys admin prints a new complete key each time, and calls no service", async () => {
  const options = { url: "http://127.0.0.1:9", key: "", environment: {} };
  const [one, other] = [await jit(["keys", "admin"], options), await jit(["keys", "admin"], options)];
  for (const { code, out, err } of [one, other]) {
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(parseToken(out.trimEnd())?.kind).toBe("live");
  }
  expect(one.out).not.toBe(other.out);
});
