import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

/** Envoy and Traefik are not run here: what can be told from their snippets alone. */
const read = (file: string): unknown =>
  parse(readFileSync(join(import.meta.dirname, "../../docs/proxies", file), "utf8"), { strict: true });

const ours = ["x-jit-identity", "x-jit-request", "x-jit-scopes"];
const lower = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase()).toSorted();

describe("traefik.yml", () => {
  const forwardAuth = z.strictObject({
    address: z.string(),
    trustForwardHeader: z.literal(false),
    authRequestHeaders: z.array(z.string()),
    authResponseHeaders: z.array(z.string()),
  });
  const headers = z.strictObject({ customRequestHeaders: z.record(z.string(), z.string()) });
  const router = z.strictObject({
    rule: z.string(),
    entryPoints: z.array(z.string()),
    middlewares: z.array(z.string()),
    service: z.string(),
  });
  const { http } = z
    .strictObject({
      http: z.strictObject({
        middlewares: z.record(
          z.string(),
          z.union([z.strictObject({ forwardAuth }), z.strictObject({ headers })]),
        ),
        routers: z.record(z.string(), router),
        services: z.record(z.string(), z.unknown()),
      }),
    })
    .parse(read("traefik.yml"));
  const checks = Object.entries(http.middlewares).flatMap(([name, one]) =>
    "forwardAuth" in one ? [{ name, ...one.forwardAuth }] : [],
  );
  const emptied = (name: string | undefined): readonly string[] => {
    const middleware = http.middlewares[name ?? ""];
    if (middleware === undefined || !("headers" in middleware)) return [];
    return Object.entries(middleware.headers.customRequestHeaders).flatMap(([header, value]) =>
      value === "" ? [header.toLowerCase()] : [],
    );
  };

  test("every check has its scope in a fixed address and receives only the token", () => {
    expect(checks.length).toBeGreaterThan(0);
    for (const { address, authRequestHeaders, authResponseHeaders } of checks) {
      const url = new URL(address);
      expect(url.pathname).toBe("/api/v1/check");
      expect(url.searchParams.getAll("scope").join()).toMatch(/^[a-z]+:.+/);
      expect(authRequestHeaders).toEqual(["Authorization"]);
      expect(lower(authResponseHeaders)).toEqual(ours);
    }
  });

  test("every router strips headers, checks, drops the token, and has a service", () => {
    for (const { rule, middlewares, service } of Object.values(http.routers)) {
      const [first, second, third, ...more] = middlewares;
      const names = [...ours, "x-jit-scope"];
      const spellings = names.flatMap((name) => [
        name,
        name.replaceAll("-", "_"),
        name.replace("x-jit-", "x-jit_"),
        name.replace("x-jit-", "x_jit-"),
      ]);
      expect(emptied(first)).toEqual(expect.arrayContaining(spellings));
      expect(checks.map((check) => check.name)).toContain(second);
      expect(emptied(third)).toEqual(["authorization"]);
      expect(more).toEqual([]);
      expect(Object.keys(http.services)).toContain(service);
      expect(rule).toContain("!HeaderRegexp(`Connection`");
    }
  });
});

describe("envoy.yaml", () => {
  const mutations = z.strictObject({
    request_mutations: z.array(
      z.union([
        z.strictObject({ remove: z.string() }),
        z.strictObject({
          append: z.strictObject({
            header: z.strictObject({ key: z.literal("x-jit-scope"), value: z.string().min(3) }),
            append_action: z.literal("OVERWRITE_IF_EXISTS_OR_ADD"),
          }),
        }),
      ]),
    ),
  });
  const names = z.strictObject({ patterns: z.array(z.strictObject({ exact: z.string() })) });
  const authz = z.object({
    failure_mode_allow: z.literal(false),
    status_on_error: z.strictObject({ code: z.literal("ServiceUnavailable") }),
    allowed_headers: names,
    http_service: z.strictObject({
      server_uri: z.object({ cluster: z.literal("jit_access") }),
      path_override: z.literal("/api/v1/check"),
      authorization_response: z.strictObject({ allowed_upstream_headers: names }),
    }),
  });
  const route = z.union([
    z.strictObject({
      match: z.strictObject({ prefix: z.string() }),
      direct_response: z.strictObject({ status: z.literal(403) }),
    }),
    z.strictObject({
      match: z.strictObject({ prefix: z.string() }),
      route: z.strictObject({ cluster: z.string() }),
      typed_per_filter_config: z.strictObject({
        "envoy.filters.http.header_mutation": z.object({ mutations }),
      }),
    }),
  ]);
  const manager = z.object({
    normalize_path: z.literal(true),
    common_http_protocol_options: z.object({ headers_with_underscores_action: z.literal("DROP_HEADER") }),
    http_filters: z.tuple([
      z.strictObject({
        name: z.literal("envoy.filters.http.header_mutation"),
        typed_config: z.object({ mutations }),
      }),
      z.strictObject({ name: z.literal("envoy.filters.http.ext_authz"), typed_config: authz }),
      z.strictObject({ name: z.literal("envoy.filters.http.router"), typed_config: z.object({}) }),
    ]),
    route_config: z.strictObject({
      request_headers_to_remove: z.array(z.string()),
      virtual_hosts: z.array(z.object({ routes: z.array(route) })),
    }),
  });
  const { static_resources } = z
    .object({
      static_resources: z.object({
        listeners: z.tuple([
          z.object({
            filter_chains: z.tuple([z.object({ filters: z.tuple([z.object({ typed_config: manager })]) })]),
          }),
        ]),
        clusters: z.array(z.object({ name: z.string() })),
      }),
    })
    .parse(read("envoy.yaml"));
  const { http_filters, route_config } =
    static_resources.listeners[0].filter_chains[0].filters[0].typed_config;

  test("identity headers of the client are removed before anything else", () => {
    const removed = http_filters[0].typed_config.mutations.request_mutations.flatMap((one) =>
      "remove" in one ? [one.remove] : [],
    );
    expect(removed.toSorted()).toEqual([...ours, "x-jit-scope"].toSorted());
  });

  test("the check receives the scope of the route, at a path that the client cannot change", () => {
    const { allowed_headers, http_service } = http_filters[1].typed_config;
    expect(allowed_headers.patterns.map((one) => one.exact)).toEqual(["x-jit-scope", "x-forwarded-for"]);
    const told = http_service.authorization_response.allowed_upstream_headers.patterns;
    expect(told.map((one) => one.exact).toSorted()).toEqual(ours);
  });

  test("every route has a scope and an existing cluster; the last one refuses the rest", () => {
    const clusters = static_resources.clusters.map((one) => one.name);
    const routes = route_config.virtual_hosts.flatMap((host) => host.routes);
    for (const one of routes.slice(0, -1))
      expect("route" in one && clusters.includes(one.route.cluster)).toBe(true);
    expect(routes.at(-1)).toMatchObject({ match: { prefix: "/" }, direct_response: { status: 403 } });
    expect(route_config.request_headers_to_remove).toEqual(["x-jit-scope", "authorization"]);
  });
});
