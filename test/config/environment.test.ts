import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { environmentNames, readEnvironment, type Settings } from "../../src/config/environment.ts";
import { formatToken } from "../../src/core/values/token-format.ts";

const adminKey = formatToken("live", "0123456789abcdefghijABCDEFGHIJ");
const jitToken = formatToken("jit", "0123456789abcdefghijABCDEFGHIJ");

const slack = { SLACK_BOT_TOKEN: "xoxb-1-canary", SLACK_SIGNING_SECRET: "canary" };
const teams = {
  MICROSOFT_APP_ID: "11111111-aaaa",
  MICROSOFT_APP_PASSWORD: "canary word",
  MICROSOFT_APP_TENANT_ID: "22222222-BBBB",
};
const email = { SMTP_URL: "smtp://user:canary@mail.example:587", EMAIL_FROM: "JIT Access <jit@company.com>" };

function settingsOf(environment: Record<string, string | undefined>): Settings {
  const outcome = readEnvironment(environment);
  if ("problems" in outcome) throw new Error(JSON.stringify(outcome.problems));
  return outcome.ok;
}

function badNames(environment: Record<string, string | undefined>): string[] {
  const outcome = readEnvironment(environment);
  return "problems" in outcome ? outcome.problems.map((problem) => problem.name) : [];
}

const defaults = {
  host: "127.0.0.1",
  port: 3000,
  trustedProxies: [],
  databaseFile: "data/jit.db",
  sweepCron: "*/5 * * * * *",
  rateLimitPerMinute: 1200,
  logLevel: "info",
};

test("an empty environment, or one with empty values, gives the defaults", () => {
  expect(settingsOf({})).toEqual(defaults);
  expect(settingsOf(Object.fromEntries(environmentNames.map((name) => [name, ""])))).toEqual(defaults);
});

const accepted: [string, string, object][] = [
  ["HOST", "0.0.0.0", { host: "0.0.0.0" }],
  ["HOST", "::1", { host: "::1" }],
  ["HOST", "localhost", { host: "localhost" }],
  ["PORT", "0", { port: 0 }],
  ["PUBLIC_URL", "https://jit.company.com/", { publicUrl: "https://jit.company.com" }],
  ["PUBLIC_URL", "http://localhost:3000/jit/", { publicUrl: "http://localhost:3000/jit" }],
  ["TRUSTED_PROXIES", "10.0.0.0/8, ::1", { trustedProxies: ["10.0.0.0/8", "::1"] }],
  ["DATABASE_URL", "file:data/jit.db", { databaseFile: "data/jit.db" }],
  ["DATABASE_URL", "file:./x/jit.db", { databaseFile: "./x/jit.db" }],
  ["DATABASE_URL", "file:/var/lib/jit.db", { databaseFile: "/var/lib/jit.db" }],
  ["DATABASE_URL", "file:///var/lib/a%20b.db", { databaseFile: "/var/lib/a b.db" }],
  ["DATABASE_URL", "/var/lib/jit.db", { databaseFile: "/var/lib/jit.db" }],
  ["DATABASE_URL", "jit.db", { databaseFile: "jit.db" }],
  ["JIT_CONFIG", "/etc/jit.yaml", { configFile: "/etc/jit.yaml" }],
  ["JIT_ADMIN_KEY", adminKey, { adminKey }],
  ["JIT_SWEEP_CRON", "* * * * *", { sweepCron: "* * * * *" }],
  ["JIT_SWEEP_CRON", "0-30/2 * * * JAN MON,TUE", { sweepCron: "0-30/2 * * * JAN MON,TUE" }],
  ["RATE_LIMIT_PER_MINUTE", "1", { rateLimitPerMinute: 1 }],
  ["LOG_LEVEL", "silent", { logLevel: "silent" }],
];

describe("a setting is read", () => {
  test.each(accepted)("%s=%s", (name, text, settings) => {
    expect(settingsOf({ [name]: text })).toEqual({ ...defaults, ...settings });
  });
});

const refused: [string, string[]][] = [
  ["HOST", ["a host", "http://localhost", "localhost:3000", "300.1.1.1", "-x"]],
  ["PORT", ["65536", "-1", "3000.5", "0x50", "http", "1e3"]],
  ["PUBLIC_URL", ["jit.company.com", "ftp://x", "https://u:p@x", "https://x/?a", "https://x/#a", "https://"]],
  ["TRUSTED_PROXIES", ["proxy", "10.0.0.0/33", "10.0.0.1,", "true", "*"]],
  [
    "DATABASE_URL",
    [
      "postgres://u:p@h/db",
      "file:",
      "file://host/x",
      "file:x?mode=ro",
      ":memory:",
      "file::memory:",
      "file:%",
      "file:data/jit.db\r",
    ],
  ],
  ["JIT_CONFIG", ["a\0b", "jit.yaml\r"]],
  ["AUDIT_FILE", ["audit.jsonl\r"]],
  [
    "JIT_ADMIN_KEY",
    ["secret", jitToken, `${adminKey.slice(0, -1)}!`, `${adminKey} `, adminKey.replace("abc", "abd")],
  ],
  ["JIT_SWEEP_CRON", ["* * * *", "* * * * * * *", "every minute or so ok", "* * * * ; ls", "5"]],
  ["RATE_LIMIT_PER_MINUTE", ["0", "many", "-5", "1000001"]],
  ["LOG_LEVEL", ["INFO", "verbose"]],
];

describe("a bad setting is named", () => {
  test.each(refused.flatMap(([name, texts]) => texts.map((text) => [name, text])))(
    "%s=%j",
    (name = "", text = "") => {
      expect(badNames({ [name]: text })).toEqual([name]);
    },
  );
});

test("a variable with an invisible character in its name is reported, not ignored", () => {
  for (const odd of ["\uFEFFPORT", "PORT\r", "PORT ", "\u200BPORT", "\u00A0PORT"]) {
    expect(badNames({ [odd]: "4000" })).toEqual(["PORT"]);
  }
  expect(badNames({ PORT_: "x", "SOME OTHER": "x" })).toEqual([]);
});

test("all problems are named at once", () => {
  expect(
    badNames({ PORT: "x", LOG_LEVEL: "y", SLACK_BOT_TOKEN: "xoxb-1", SMTP_URL: "z" }).toSorted(),
  ).toEqual(["EMAIL_FROM", "LOG_LEVEL", "PORT", "SLACK_SIGNING_SECRET", "SMTP_URL"]);
});

describe("Slack", () => {
  test("is called over HTTP with a signing secret", () => {
    expect(settingsOf(slack).slack).toEqual({
      botToken: "xoxb-1-canary",
      connection: { mode: "http", signingSecret: "canary" },
      apiUrl: "https://slack.com/api",
      linkByEmail: false,
    });
  });

  test("needs no signing secret with an app token, which wins", () => {
    const socket = { SLACK_BOT_TOKEN: "xoxb-1", SLACK_APP_TOKEN: "xapp-1" };
    for (const environment of [socket, { ...socket, SLACK_SIGNING_SECRET: "s" }]) {
      expect(settingsOf(environment).slack?.connection).toEqual({ mode: "socket", appToken: "xapp-1" });
    }
  });

  test("reads its other settings", () => {
    const more = {
      SLACK_TEAM_ID: "T0123",
      SLACK_API_URL: "http://127.0.0.1:4000/api/",
      SLACK_LINK_BY_EMAIL: "true",
    };
    expect(settingsOf({ ...slack, ...more }).slack).toMatchObject({
      teamId: "T0123",
      apiUrl: "http://127.0.0.1:4000/api",
      linkByEmail: true,
    });
  });
});

describe("Teams", () => {
  test("is set up by three values", () => {
    expect(settingsOf(teams).teams).toMatchObject({
      appId: "11111111-aaaa",
      appPassword: "canary word",
      tenantId: "22222222-bbbb",
      loginUrl: "https://login.microsoftonline.com",
      linkByEmail: false,
    });
    expect(settingsOf(teams).teams?.serviceUrlHosts).toContain("smba.trafficmanager.net");
    expect(settingsOf(teams).teams?.serviceUrlHosts).not.toContain("trafficmanager.net");
  });

  test("accepts other host names", () => {
    const hosts = { TEAMS_SERVICE_URL_HOSTS: "127.0.0.1, Smba.Example" };
    expect(settingsOf({ ...teams, ...hosts }).teams?.serviceUrlHosts).toEqual(["127.0.0.1", "smba.example"]);
  });
});

test("mail is set up by a server and a sender", () => {
  expect(settingsOf(email).email).toEqual({
    smtpUrl: "smtp://user:canary@mail.example:587",
    from: "JIT Access <jit@company.com>",
  });
});

const groups: [string, Record<string, string>, string[]][] = [
  ["Slack without bot token", { SLACK_SIGNING_SECRET: "s" }, ["SLACK_BOT_TOKEN"]],
  ["Slack without signing secret", { SLACK_BOT_TOKEN: "xoxb-1" }, ["SLACK_SIGNING_SECRET"]],
  ["Slack with a workspace only", { SLACK_TEAM_ID: "T01" }, ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]],
  [
    "Slack with an option only",
    { SLACK_LINK_BY_EMAIL: "false" },
    ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"],
  ],
  ["a user's Slack token", { ...slack, SLACK_BOT_TOKEN: "xoxp-1" }, ["SLACK_BOT_TOKEN"]],
  ["a bot token for the socket", { ...slack, SLACK_APP_TOKEN: "xoxb-1" }, ["SLACK_APP_TOKEN"]],
  ["yes for true", { ...slack, SLACK_LINK_BY_EMAIL: "yes" }, ["SLACK_LINK_BY_EMAIL"]],
  ["TRUE for true", { ...slack, SLACK_LINK_BY_EMAIL: "TRUE" }, ["SLACK_LINK_BY_EMAIL"]],
  ["Slack's API in the clear", { ...slack, SLACK_API_URL: "http://slack.example/api" }, ["SLACK_API_URL"]],
  ["a user for a workspace", { ...slack, SLACK_TEAM_ID: "U01" }, ["SLACK_TEAM_ID"]],
  ["Teams without tenant", { ...teams, MICROSOFT_APP_TENANT_ID: "" }, ["MICROSOFT_APP_TENANT_ID"]],
  ["Teams without id", { ...teams, MICROSOFT_APP_ID: "" }, ["MICROSOFT_APP_ID"]],
  ["Teams without password", { ...teams, MICROSOFT_APP_PASSWORD: "" }, ["MICROSOFT_APP_PASSWORD"]],
  ["Teams for every tenant", { ...teams, MICROSOFT_APP_TENANT_ID: "common" }, ["MICROSOFT_APP_TENANT_ID"]],
  [
    "Teams with an option only",
    { TEAMS_LINK_BY_EMAIL: "true" },
    ["MICROSOFT_APP_ID", "MICROSOFT_APP_PASSWORD", "MICROSOFT_APP_TENANT_ID"],
  ],
  [
    "a host with its port",
    { ...teams, TEAMS_SERVICE_URL_HOSTS: "x.example:443" },
    ["TEAMS_SERVICE_URL_HOSTS"],
  ],
  [
    "a login in the clear",
    { ...teams, MICROSOFT_LOGIN_URL: "http://login.example" },
    ["MICROSOFT_LOGIN_URL"],
  ],
  ["no address for keys", { ...teams, TEAMS_OPENID_METADATA_URL: "x" }, ["TEAMS_OPENID_METADATA_URL"]],
  ["mail without sender", { SMTP_URL: "smtp://mail.example" }, ["EMAIL_FROM"]],
  ["mail without server", { EMAIL_FROM: "jit@company.com" }, ["SMTP_URL"]],
  ["a web server for mail", { ...email, SMTP_URL: "https://mail.example" }, ["SMTP_URL"]],
  [
    "a sender that forges a header",
    { ...email, EMAIL_FROM: "x\r\nBcc: a@b.example <a@b.example>" },
    ["EMAIL_FROM"],
  ],
];

describe("an invalid or incomplete group is reported variable by variable", () => {
  test.each(groups)("%s", (_name, environment, names) => {
    expect(badNames(environment)).toEqual(names);
  });
});

test("a problem never repeats the value", () => {
  const everything = fc.record(
    Object.fromEntries(
      environmentNames.map((name) => [name, fc.constantFrom("canary-\u0001", " canary", "")]),
    ),
  );
  fc.assert(
    fc.property(everything, (environment) => {
      expect(JSON.stringify(readEnvironment(environment))).not.toMatch(
        /canary.*"message"|"message":"[^"]*canary/,
      );
    }),
  );
});

test("invalid input is refused, and nothing is thrown", () => {
  const junk = fc.dictionary(
    fc.constantFrom(...environmentNames),
    fc.string({ maxLength: 60, unit: "binary" }),
  );
  fc.assert(
    fc.property(junk, (environment) => {
      expect(Object.keys(readEnvironment(environment))).toHaveLength(1);
    }),
    { numRuns: 500 },
  );
});

describe(".env.example and the code agree", () => {
  const lines = readFileSync(new URL("../../.env.example", import.meta.url), "utf8").split("\n");
  const settings = lines.flatMap((line, index) => {
    const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, value, before: lines[index - 1] ?? "" }];
  });

  test("on the names, in their order", () => {
    expect(settings.map((setting) => setting.name)).toEqual([...environmentNames]);
  });

  test("on the defaults", () => {
    expect(settingsOf(Object.fromEntries(settings.map(({ name, value }) => [name, value])))).toEqual(
      defaults,
    );
  });

  test("and each line is explained by the line above", () => {
    expect(settings.filter(({ before }) => !before.startsWith("# "))).toEqual([]);
  });

  test("every name is read, and no other", () => {
    const read = new Set<string>();
    const set: Record<string, string> = { ...slack, ...teams, ...email };
    const spy = new Proxy(set, {
      get: (target, name) => {
        read.add(String(name));
        return Reflect.get(target, name);
      },
    });
    readEnvironment(spy);
    expect([...read].toSorted()).toEqual([...environmentNames].toSorted());
  });
});
