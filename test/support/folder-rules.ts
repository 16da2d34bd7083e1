export interface FolderRule {
  /** The top-level folders whose files it may import, besides its own. */
  readonly folders: readonly string[];
  /** The packages it may import. */
  readonly packages: readonly string[];
}

/** Which folders and packages the files of each top-level folder of src may import; the longest path decides. */
export const rules: Record<string, FolderRule> = {
  core: { folders: [], packages: ["re2js", "temporal-polyfill"] },
  "core/values/program-version.ts": { folders: [], packages: ["../package.json"] },
  wording: { folders: ["core", "service"], packages: [] },
  config: { folders: ["core"], packages: ["zod", "yaml", "node:fs", "node:path"] },
  service: { folders: ["core"], packages: [] },
  store: {
    folders: ["core", "service"],
    packages: [
      "better-sqlite3",
      "canonicalize",
      "node:crypto",
      "node:fs",
      "node:os",
      "node:path",
      "node:timers/promises",
      ...drizzle(),
    ],
  },
  background: { folders: ["core", "service"], packages: ["node-cron", "node:timers/promises"] },
  "background/outbox": { folders: ["core", "service"], packages: [] },
  "http-client": { folders: ["core"], packages: ["node:dns", "node:http", "node:https", "node:net"] },
  connectors: {
    folders: ["core", "service", "http-client"],
    packages: [
      "pg",
      "redis",
      "standardwebhooks",
      "node:child_process",
      "node:crypto",
      "node:fs/promises",
      "node:path",
      "node:timers/promises",
      "node:util",
    ],
  },
  chat: { folders: ["core", "service", "wording"], packages: [] },
  "chat/slack": {
    folders: ["core", "service", "wording"],
    packages: ["@slack/bolt", "@slack/types", "@slack/web-api", "fastify", "node:http", "zod"],
  },
  "chat/teams": {
    folders: ["core", "service", "wording"],
    packages: ["botbuilder", "fastify", "jose", "zod"],
  },
  "notify/email": {
    folders: ["core", "service", "wording"],
    packages: ["nodemailer", "node:crypto", "node:url"],
  },
  "notify/webhooks": { folders: ["core", "service", "http-client"], packages: ["node:crypto"] },
  "notify/audit-file": { folders: ["service"], packages: ["node:fs", "node:fs/promises"] },
  http: {
    folders: ["core", "config", "service"],
    packages: [
      "fastify",
      "fastify-type-provider-zod",
      "node:crypto",
      "node:http",
      "node:net",
      "node:stream",
      "csv-stringify",
      "zod",
      ...["rate-limit", "swagger", "swagger-ui"].map((name) => `@fastify/${name}`),
    ],
  },
  cli: {
    folders: ["core", "config", "wording"],
    packages: [
      "@slack/web-api",
      "commander",
      "fflate",
      "zod",
      "node:child_process",
      "node:crypto",
      "node:fs",
      "node:fs/promises",
      "node:os",
      "node:path",
      "node:readline/promises",
      "node:stream/consumers",
      "node:timers/promises",
    ],
  },
  "cli/manifests/teams-icons.ts": { folders: [], packages: ["../manifests/teams/icons.json"] },
  app: {
    folders: [
      "background",
      "chat",
      "config",
      "connectors",
      "core",
      "http-client",
      "notify",
      "service",
      "store",
    ],
    packages: ["close-with-grace", "fastify", "pino", "node:path"],
  },
  "app/process": {
    folders: ["core", "service"],
    packages: [
      "node:crypto",
      "node:fs",
      "node:net",
      "node:path",
      "node:readline/promises",
      "node:stream/consumers",
      "node:timers/promises",
      "node:tty",
    ],
  },
  "app/observability": { folders: ["core", "service"], packages: ["pino", "prom-client", "node:net"] },
  "main.ts": {
    folders: ["app", "background", "config", "core", "http", "store"],
    packages: ["pino", "node:fs"],
  },
  "maintenance.ts": {
    folders: ["app", "config", "core", "store"],
    packages: ["node:fs", "node:path", "node:readline/promises"],
  },
};

/** The files that lie in a folder itself, beside its sub-folders. */
export const own = ".";

/**
 * The order among the sub-folders of a folder: each line may import the lines above it, and those that share a line do not
 * import each other.
 */
export const orders: Record<string, readonly (readonly string[])[]> = {
  app: [["process"], ["observability"], [own]],
  background: [["outbox", "sweeps"]],
  "background/outbox": [[own], ["deliveries"], ["runners"]],
  chat: [["conversation"], ["slack", "teams"]],
  "chat/slack": [["views", "connection"], ["people"], ["outbound"], ["inbound"], [own]],
  "chat/teams": [["views", "connection"], ["people"], ["outbound"], ["inbound"], [own]],
  cli: [["io"], ["api", "manifests"], ["credentials", "people"], ["views"], ["access"], ["commands"], [own]],
  config: [["schemas"], [own]],
  connectors: [["shared"], ["postgres", "ssh", "redis", "webhook"], [own]],
  core: [["values"], ["policy"], ["access"], ["decisions"], ["effects", "audit"]],
  http: [["formats"], ["middleware"], ["routes"], [own]],
  notify: [["email", "webhooks", "audit-file"]],
  service: [
    ["async"],
    ["ports"],
    ["guards"],
    ["views"],
    ["messaging"],
    ["decisions"],
    ["people", "targets"],
    ["policies", "credentials"],
    ["grants"],
    ["requests"],
    ["reports"],
    [own],
  ],
  "service/credentials": [[own], ["claim"]],
  store: [["shared"], ["sqlite"], [own]],
  "store/sqlite": [["tables"], ["file", "reads"], ["writes"], ["commit"], [own]],
  "store/sqlite/reads": [["requests"], [own]],
};

export function drizzle(): readonly string[] {
  return ["", "/better-sqlite3", "/better-sqlite3/migrator", "/sqlite-core", "/migrator"].map(
    (path) => `drizzle-orm${path}`,
  );
}
