import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { autoBelow, manyCalls, staff } from "../support/company-config.ts";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { pause, sharedProgram } from "../support/program.ts";
import { freePort } from "./support/ports.ts";
import type { Proxy, ProxyKind } from "./support/proxies.ts";
import { sayThroughWebsocket, send, type Got, type Sent } from "./support/send.ts";
import { startOtherCheck, startUpstream, type Upstream } from "./support/upstream.ts";

const read = "read:prod:orders-db";
const admin = "admin:prod:orders-db";
/** Well-formed, with a right checksum, and given to nobody. */
const strange = "kd_jit_000000000000000000000000000000003XAUgE";

/** All that a shipped snippet promises, asked of the real proxy between a real client and the real service. */
export function guards(kind: ProxyKind): void {
  leavesNothingBehind();
  const reason = kind.isInstalled ? "" : ` (skipped: ${kind.name} is not installed)`;
  describe.skipIf(!kind.isInstalled)(`${kind.name} with the shipped snippet${reason}`, () => {
    const program = sharedProgram({
      config: {
        identities: staff,
        policies: [autoBelow("prod:")],
        limits: { pendingPerIdentity: 1_000, activePerIdentity: 1_000 },
      },
      env: { TRUSTED_PROXIES: "127.0.0.1", ...manyCalls },
    });
    let upstream: Upstream;
    let proxy: Proxy;
    beforeAll(async () => {
      upstream = await startUpstream();
      proxy = await kind.start({ check: Number(new URL(program().address).port), upstream: upstream.port });
    });
    afterAll(async () => {
      await upstream.close();
      await proxy.stop();
    });
    beforeEach(() => {
      upstream.seen.length = 0;
    });

    /** A token of Dev's for these scopes, with the request it belongs to. */
    async function granted(scopes: readonly string[], duration = "1h") {
      const dev = await program().person("dev");
      const { body } = await dev.ask({ scopes, duration });
      return { id: body.id, token: body.credential.token };
    }
    const through = (path: string, sent: Sent = {}): Promise<Got> => send(proxy.port, path, sent);

    allowing();
    refusing();
    forging();
    failing();

    function allowing(): void {
      test.each(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])(
        "who holds the scope comes through: %s, path, query and body as they were",
        async (method) => {
          const { id, token } = await granted([read]);
          const body = method === "GET" ? undefined : `${"long ".repeat(40_000)}${method}`;
          const path = "/orders/7/items?sort=asc&scope=email&q=a%20b%2Fc";
          const got = await through(path, { method, token, ...(body !== undefined && { body }) });
          expect({ status: got.status, upstream: got.headers["x-upstream"] }).toEqual({
            status: 200,
            upstream: "reached",
          });
          expect(upstream.seen).toHaveLength(1);
          expect(upstream.seen[0]).toMatchObject({ method, url: path, body: body ?? "" });
          expect(ours()).toEqual([
            ["x-jit-identity", "id_dev"],
            ["x-jit-request", id],
            ["x-jit-scopes", read],
          ]);
        },
      );

      test("HEAD gets no body", async () => {
        const { token } = await granted([read]);
        const got = await through("/orders/", { method: "HEAD", token });
        expect({ status: got.status, body: got.body }).toEqual({ status: 200, body: "" });
        expect(upstream.seen[0]?.method).toBe("HEAD");
      });

      test("a websocket works with the scope, and without it does not open", async () => {
        const { token } = await granted([read]);
        expect(await sayThroughWebsocket(proxy.port, "/orders/live", { token }, "hello")).toBe("hello");
        expect(ours()).toHaveLength(3);
        upstream.seen.length = 0;
        expect(await sayThroughWebsocket(proxy.port, "/orders/live", {}, "hello")).toBe(401);
        expect(await sayThroughWebsocket(proxy.port, "/admin/live", { token }, "hello")).toBe(403);
        expect(upstream.seen).toEqual([]);
      });

      test("the application does not get the token", async () => {
        const { token } = await granted([read]);
        await through("/orders/", { token });
        expect(JSON.stringify(upstream.seen)).not.toContain("kd_jit_");
      });

      test("a location with two required scopes needs both", async () => {
        const both = await granted([read, admin]);
        const got = await through("/admin/", { token: both.token });
        expect(got.status).toBe(200);
        expect(ours()).toContainEqual(["x-jit-scopes", [read, admin].join(" ")]);
        for (const one of [read, admin]) {
          expect((await through("/admin/", { token: (await granted([one])).token })).status).toBe(403);
        }
        expect(upstream.seen).toHaveLength(1);
      });
    }

    function refusing(): void {
      test.each([
        ["no token", {}],
        ["garbage", { token: "garbage" }],
        ["an empty one", { headers: [["Authorization", "Bearer "]] }],
        ["one that was given to nobody", { token: strange }],
        ["another scheme", { headers: [["Authorization", "Basic ZGV2OmRldg=="]] }],
      ] satisfies [string, Sent][])(
        "%s → 401, told to the client, and nothing gets through",
        async (_, sent) => {
          const got = await through("/orders/", sent);
          expect({ status: got.status, challenge: got.headers["www-authenticate"] }).toEqual({
            status: 401,
            challenge: "Bearer",
          });
          expect(upstream.seen).toEqual([]);
        },
      );

      test("a token stops working at its expiry, and at once when it is completed", async () => {
        const short = await granted([read], "1s");
        expect((await through("/orders/", { token: short.token })).status).toBe(200);
        const done = await granted([read]);
        const dev = await program().person("dev");
        await dev.act(done.id, "complete");
        expect((await through("/orders/", { token: done.token })).status).toBe(401);
        await pause(1_050);
        expect((await through("/orders/", { token: short.token })).status).toBe(401);
        expect(upstream.seen).toHaveLength(1);
      });

      test("a token without the scope → 403", async () => {
        const { token } = await granted(["read:prod:other-db"]);
        expect((await through("/orders/", { token })).status).toBe(403);
        expect(upstream.seen).toEqual([]);
      });

      test.each(["/", "/orders", "/ORDERS/", "/other", "/jit-check", "/jit-check?scope=x"])(
        "%s is open to nobody by accident",
        async (path) => {
          const { token } = await granted(["read:prod:other-db"]);
          for (const sent of [{}, { token }]) {
            expect([301, 401, 403, 404]).toContain((await through(path, sent)).status);
          }
          expect(upstream.seen).toEqual([]);
        },
      );

      test.each([
        "/orders/../admin/x",
        "/orders/%2e%2e/admin/x",
        "/orders/..%2fadmin/x",
        "//admin/x",
        "/./admin/x",
      ])("%s is the stricter place, not the laxer one", async (path) => {
        const { token } = await granted([read]);
        expect([400, 403, 404]).toContain((await through(path, { token })).status);
        expect(upstream.seen).toEqual([]);
      });
    }

    function forging(): void {
      const forged = [
        ["X-JIT-Scope", read],
        ["x-jit-scope", "read:prod:other-db"],
        ["X-JIT-SCOPE", ""],
        ["X_JIT_Scope", read],
        ["X-JIT-Identity", "id_cto"],
        ["x-jit-IDENTITY", "id_lead"],
        ["X_JIT_IDENTITY", "id_cto"],
        ["X-JIT_Identity", "id_cto"],
        ["X_JIT-Identity", "id_cto"],
        ["X-Jit-Scopes", admin],
        ["X-Jit-Scopes", "admin:prod:everything"],
        ["x_jit_scopes", admin],
        ["X-JIT-Request", "jit_forged"],
        ["x_jit_request", "jit_forged"],
      ] as const;

      test("headers of the client that look like ours grant nothing", async () => {
        const { token } = await granted(["read:prod:other-db"]);
        for (const sent of [{ token }, { token: strange }, {}]) {
          const { status } = await through("/orders/", { ...sent, headers: forged });
          expect(status).toBe("token" in sent && sent.token === token ? 403 : 401);
        }
        expect(upstream.seen).toEqual([]);
      });

      test("nor restrict anything, nor reach the application, in any spelling", async () => {
        const { id, token } = await granted([read]);
        const got = await through("/orders/", { token, headers: forged });
        expect(got.status).toBe(200);
        expect(ours()).toEqual([
          ["x-jit-identity", "id_dev"],
          ["x-jit-request", id],
          ["x-jit-scopes", read],
        ]);
      });

      test("a client cannot remove our headers through the Connection header", async () => {
        const { token } = await granted([read]);
        const headers = [
          ["Connection", "close, X-JIT-Identity, X-JIT-Scopes, X-JIT-Request, X-JIT-Scope"],
        ] as const;
        const { status } = await through("/orders/", { token, headers });
        if (status === 200) expect(ours()).toContainEqual(["x-jit-identity", "id_dev"]);
        else expect({ status, seen: upstream.seen }).toEqual({ status: 400, seen: [] });
      });

      test("a scope in the client's query changes nothing", async () => {
        const other = await granted(["read:prod:other-db"]);
        const query = "?scope=read:prod:other-db";
        expect((await through(`/orders/${query}`, { token: other.token })).status).toBe(403);
        const { token } = await granted([read]);
        expect((await through(`/orders/${query}`, { token })).status).toBe(200);
        expect(upstream.seen.map((one) => one.url)).toEqual([`/orders/${query}`]);
      });
    }

    /** What the application was told of ours, in any spelling that it could take for ours. */
    function ours(): readonly (readonly [string, string])[] {
      return (upstream.seen[0]?.headers ?? [])
        .map(([name, value]) => [name.toLowerCase().replaceAll("_", "-"), value] as const)
        .filter(([name]) => name.startsWith("x-jit"))
        .toSorted(([one], [other]) => one.localeCompare(other));
    }

    function failing(): void {
      const others: readonly [string, () => ReturnType<typeof startOtherCheck>][] = [
        ["down", async () => ({ port: await freePort(), close: async () => {} })],
        ["failing with 500", () => startOtherCheck(500)],
        ["failing with 503", () => startOtherCheck(503)],
        ["replaced by something that redirects", () => startOtherCheck(302)],
        ["replaced by something that says 404", () => startOtherCheck(404)],
        ["silent", () => startOtherCheck(undefined)],
      ];
      test.each(others)("while the service is %s nobody comes in", async (_, start) => {
        const other = await start();
        const behind = await startUpstream();
        const front = await kind.start({ check: other.port, upstream: behind.port });
        const got = await send(front.port, "/orders/", {
          token: strange,
          headers: [["X-JIT-Identity", "id_cto"]],
        });
        await front.stop();
        await other.close();
        expect(kind.closed).toContain(got.status);
        expect(got.headers["x-upstream"]).toBeUndefined();
        expect(behind.seen).toEqual([]);
        await behind.close();
      });
    }
  });
}
