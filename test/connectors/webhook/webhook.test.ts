import { createServer, type IncomingMessage, type Server } from "node:http";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createWebhookConnector } from "../../../src/connectors/webhook/webhook-connector.ts";
import type { Connector } from "../../../src/service/ports/connector.ts";
import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { listeningPort } from "../../proxies/support/ports.ts";
import { testConnectorContract } from "../connector-contract.ts";
import { never, specFor } from "../support/connector-harness.ts";
import { portsOf, webhookKind, webhookSecret, webhookSettings } from "../support/webhook-harness.ts";

leavesNothingBehind();
testConnectorContract(webhookKind());

describe("calls to a receiver and its responses", () => {
  let server: Server;
  let connector: Connector;
  let answer: { status: number; body: string; headers?: Record<string, string> };
  const got: { headers: IncomingMessage["headers"]; body: string }[] = [];
  beforeEach(async () => {
    got.length = 0;
    answer = { status: 200, body: "{}" };
    server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (part: string) => (body += part));
      request.on("end", () => {
        got.push({ headers: request.headers, body });
        response.writeHead(answer.status, answer.headers).end(answer.body);
      });
    });
    const port = await listeningPort(server);
    connector = createWebhookConnector({ ...webhookSettings, url: `http://127.0.0.1:${port}/` }, portsOf());
  });
  afterEach(() => new Promise((closed) => void server.close(closed)));

  test("every call is signed over its exact bytes and names its owner", async () => {
    const spec = specFor(connector);
    await connector.provision(spec, never());
    await connector.issue(spec, { expiresAt: spec.notAfter, sshPublicKey: "ssh-ed25519 AAAA" }, never());
    await connector.takeBack(spec, never());
    const webhook = new Webhook(webhookSecret);
    expect(
      got.map(({ headers, body }) => webhook.verify(body, headers as Record<string, string>)),
    ).toMatchObject([
      {
        type: "grant.provision",
        data: {
          instance: "ours",
          connector: "orders-app",
          object: spec.object,
          rights: { rights: ["orders:read"] },
        },
      },
      { type: "grant.issue", data: { grantId: spec.grantId, sshPublicKey: "ssh-ed25519 AAAA" } },
      { type: "grant.revoke", data: { object: spec.object } },
    ]);
  });

  test("a repeated operation has the same id, and every issue a new one", async () => {
    const spec = specFor(connector);
    for (const _ of [1, 2]) {
      await connector.provision(spec, never());
      await connector.takeBack(spec, never());
      await connector.issue(spec, { expiresAt: spec.notAfter }, never());
    }
    const ids = got.map(({ headers }) => headers["webhook-id"]);
    expect(ids.slice(0, 2)).toEqual(ids.slice(3, 5));
    expect(new Set(ids).size).toBe(4);
  });

  test.each([
    [400, { code: "refused", retryable: false }],
    [401, { code: "not_permitted", retryable: false }],
    [409, { code: "foreign_object", retryable: false }],
    [429, { code: "unreachable", retryable: true, isTargetDown: true }],
    [500, { code: "refused", retryable: true, isTargetDown: false }],
    [503, { code: "unreachable", retryable: true, isTargetDown: true }],
    [302, { code: "refused", retryable: false }],
  ])("%i becomes the right fault", async (status, fault) => {
    answer = { status, body: "", headers: { location: "http://127.0.0.1/elsewhere" } };
    await expect(connector.takeBack(specFor(connector), never())).rejects.toMatchObject(fault);
    expect(got).toHaveLength(1);
  });

  test.each([
    "",
    "{}",
    "[]",
    "null",
    '{"objects": {}}',
    '{"objects": [{}]}',
    '{"objects": [null]}',
    "<html>",
  ])("an invalid listing never counts as an empty one: %s", async (body) => {
    answer = { status: 200, body };
    await expect(connector.listManaged(never())).rejects.toMatchObject({ code: "refused" });
  });

  test("text of a receiver is one line, and invalid fields are left out", async () => {
    const spec = specFor(connector);
    answer = {
      status: 200,
      body: JSON.stringify({
        username: "a\u001b[31mb",
        secret: "two\nlines",
        command: 7,
        where: "x".repeat(5_000),
      }),
    };
    expect(await connector.issue(spec, { expiresAt: spec.notAfter }, never())).toMatchObject({
      username: spec.object,
      secret: "two\nlines",
      command: null,
      where: "127.0.0.1",
    });
  });
});
