import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import {
  api,
  devAsk,
  jit,
  openHttpHarness,
  tokenIn,
  type Answer,
  type HttpHarness,
} from "./support/http-harness.ts";

/** Runs a complete lifecycle: every response in order, and every secret with the response that may show it. */
async function dayAt(harness: HttpHarness) {
  const answers: Answer[] = [];
  const secrets: { readonly secret: string; readonly shownIn: Answer }[] = [];
  const call: HttpHarness["call"] = async (...args) => {
    const answer = await harness.call(...args);
    answers.push(answer);
    return answer;
  };
  const key = async (name: string, ...roles: string[]): Promise<string> => {
    const made = await call("POST", `${api}/api-keys`, {
      key: harness.admin,
      body: { identityId: `id_${name}`, roles },
    });
    secrets.push({ secret: String(made.body["token"]), shownIn: made });
    return String(made.body["token"]);
  };
  const credential = (answer: Answer): string => {
    secrets.push({ secret: tokenIn(answer), shownIn: answer });
    return tokenIn(answer);
  };
  const dev = await key("dev", "requester");
  const ann = await key("ann", "approver");
  const resource = await key("bot", "resource");
  const first = await call("POST", jit, { key: dev, body: devAsk });
  const old = credential(first);
  const id = String(first.body["id"]);
  const token = credential(await call("POST", `${jit}/${id}/rotate`, { key: dev }));
  await call("GET", `${api}/check?scope=read:dev:a`, { key: token });
  for (const text of [old, token])
    await call("POST", `${api}/credentials/introspect`, { key: resource, form: { token: text } });

  // People paste secrets everywhere.
  await call("GET", `${jit}?cursor=${token}`, { key: dev });
  await call("GET", `/nowhere/${token}?token=${token}`);
  await call("GET", `/nowhere/${token.replace("_", "%5F")}`);
  await call("POST", `${jit}/${id}/extend`, {
    key: dev,
    body: { duration: "1h", reason: "again", [token]: 1 },
  });
  const pasted = await call("POST", jit, {
    key: dev,
    body: {
      ...devAsk,
      scopes: ["read:prod:b"],
      reason: `look: ${old}`,
      ticket: old,
      metadata: { note: old },
    },
  });
  await call("POST", `${jit}/${String(pasted.body["id"])}/deny`, {
    key: ann,
    body: { reason: `no, ${old}` },
  });
  for (const [name, url] of [
    ["dev", jit],
    ["dev", `${jit}/${id}`],
    ["admin", `${api}/api-keys`],
    ["admin", `${api}/audit?limit=200`],
    ["admin", `${api}/identities`],
  ] as const) {
    await call("GET", url, { key: name === "dev" ? dev : harness.admin });
  }
  return { answers, secrets, dev, ann, id, token };
}

test("only the response that made a secret shows it, and none shows its hash", async () => {
  const harness = await openHttpHarness();
  const { answers, secrets } = await dayAt(harness);
  await harness.close();
  expect(secrets.length).toBe(5);
  for (const { secret, shownIn } of secrets) {
    const hash = createHash("sha256").update(secret).digest("hex");
    expect(shownIn.text.split(secret)).toHaveLength(2);
    for (const { text, headers } of answers.filter((answer) => answer !== shownIn)) {
      // A field that the caller has named after a secret is quoted to the caller only.
      const ours = text.replaceAll(/"path":"[^"]*"/g, "");
      expect(ours + JSON.stringify(headers)).not.toContain(secret);
      expect(text).not.toContain(hash);
    }
  }
});

test("no secret, header, body or query reaches the log, even without redaction", async () => {
  const harness = await openHttpHarness();
  const { secrets } = await dayAt(harness);
  await harness.close();
  const log = harness.log.join("");
  expect(log).toContain("/nowhere/kd_jit_…");
  for (const { secret } of [...secrets, { secret: harness.admin }]) expect(log).not.toContain(secret);
  expect(log).not.toMatch(/Bearer|authorization|an incident|cursor=|token=/i);
});

test("a refusal does not carry a token from a path or an identity field into the audit log", async () => {
  const harness = await openHttpHarness();
  const { secrets, dev, ann, token } = await dayAt(harness);
  await harness.call("POST", `${jit}/${token}/approve`, { key: ann });
  await harness.call("POST", jit, { key: harness.admin, body: { ...devAsk, identityId: token } });
  await harness.call("POST", jit, { key: dev, body: { ...devAsk, identityId: token } });
  const bodies = (await harness.harness.audit()).map((one) => one.body).join("\n");
  await harness.close();
  for (const { secret } of secrets) expect(bodies).not.toContain(secret);
  expect(bodies).toContain("decision.refused");
});

test("a token pasted into a reason is revoked", async () => {
  const harness = await openHttpHarness();
  const { token } = await harness.claimed();
  await harness.ask({ scopes: ["read:prod:b"], reason: `I have ${token}` });
  const check = await harness.call("GET", `${api}/check?scope=read:prod:orders-db`, { key: token });
  await harness.close();
  expect(check.status).toBe(401);
});
