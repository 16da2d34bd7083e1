import * as fc from "fast-check";
import { expect, test } from "vitest";
import { credentialView } from "../../../src/chat/slack/views/credential-view.ts";
import { mrkdwn } from "../../../src/chat/slack/views/text.ts";
import type { Line } from "../../../src/wording/card-text.ts";
import { breachesOfAck } from "../../fakes/slack/limits.ts";

test("scopes are code, so nothing in them becomes an emoji or a format", () => {
  expect(mrkdwn(["read:key:db, write:_prod_:db_*_ for 2 hours"])).toBe(
    "`read:key:db`, `write:_prod_:db_`*_ for 2 hours",
  );
  expect(mrkdwn(["Asked: 2 of 3. It opens read:prod:db."])).toBe("Asked: 2 of 3. It opens `read:prod:db`.");
});

test("user text makes no emoji, mention, link or format", () => {
  const text = mrkdwn([{ userText: ":white_check_mark: *Approved* by <@U1> <!here> `x` _y_" }]);
  expect(text).not.toMatch(/:\w+:|(?<!\u2060)[*_`~]|<[@!#]/);
  expect(text.replaceAll("\u2060", "")).toBe(
    '":white_check_mark: *Approved* by &lt;@U1&gt; &lt;!here&gt; `x` _y_"',
  );
});

test("a line fits any length, and no entity, date or code is cut in two", () => {
  const part = fc.oneof(
    fc.stringMatching(/^[a-z<&>:*_ ]{0,40}$/),
    fc.constant("read:prod:orders-db, write:a:b"),
    fc.constant({ time: "2026-01-15T10:30:00.000Z" }),
    fc.record({ userText: fc.string({ maxLength: 60, unit: "grapheme" }) }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), fc.integer({ min: 0, max: 200 }), (line: Line, max) => {
      const text = mrkdwn(line, max);
      expect(text.length).toBeLessThanOrEqual(max);
      expect(text.replaceAll(/&(?:amp|lt|gt);/g, "")).not.toContain("&");
      expect(text.replaceAll(/<!date\^\d+\^[^|<>]*\|[^<>]*>/g, "")).not.toMatch(/[<>]/);
      expect(text.replaceAll("\u2060`", "").split("`").length % 2).toBe(1);
    }),
  );
});

test("a secret is never truncated, whatever its length and characters", () => {
  const secret = "-----BEGIN<&>-----\n".repeat(400);
  const target = {
    connector: "bastion",
    kind: "ssh",
    where: "host",
    username: "dev",
    secret,
    expiresAt: "2026-01-15T10:30:00.000Z",
    command: null,
  };
  const credential = {
    id: "cred_1",
    token: "kd_jit_x",
    expiresAt: "2026-01-15T10:30:00.000Z",
    targets: [target],
  };
  const view = credentialView({ credential, lines: [] });
  expect(breachesOfAck({ view })).toEqual([]);
  const shown = view.blocks.flatMap((one) =>
    one.type === "section" && "text" in one ? [/^```([^]*)```$/.exec(one.text?.text ?? "")?.[1] ?? ""] : [],
  );
  const whole = shown.join("").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  expect(whole).toBe(`kd_jit_x${secret}`);
});
