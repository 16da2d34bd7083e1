import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readConfigFile } from "../../src/config/config-file.ts";
import { brokerRules } from "./support/redis-harness.ts";
import { brokerSetup } from "./support/postgres-harness.ts";

const kindsOfPages = ["postgres", "ssh", "redis", "webhook"];
const page = kindsOfPages
  .map((kind) => readFileSync(new URL(`../../docs/connectors/${kind}.md`, import.meta.url), "utf8"))
  .join("\n");

function blocks(language: string): readonly string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(([, text = ""]) => text);
}

test("the pages show a valid configuration of every kind", () => {
  const environment = {
    ORDERS_DB: "postgres://broker:secret@db.internal:5432/orders?sslmode=verify-full",
    ORDERS_CACHE: "rediss://broker:secret@cache.internal:6379",
    DOORS_SECRET: `whsec_${Buffer.alloc(24, 1).toString("base64")}`,
  };
  const kinds = blocks("yaml").flatMap((text): readonly unknown[] => {
    const outcome = readConfigFile(text, "jit.yaml", environment);
    return "ok" in outcome ? outcome.ok.connectors.map(({ kind }) => kind) : outcome.problems;
  });
  expect(kinds).toEqual(kindsOfPages);
});

test("the brokers of the tests have exactly the rights on the pages", () => {
  const sql = (blocks("sql")[0] ?? "").replaceAll("jit_broker", "broker").replace("'…'", "'broker-password'");
  const aboutBroker = brokerSetup(16).filter((statement) => /\bbroker\b/.test(statement));
  expect(aboutBroker.map((statement) => `${statement};`)).toEqual(
    sql.split("\n").flatMap((line) => (/^(CREATE|GRANT)/.test(line) ? [line.replace(/ --.*/, "")] : [])),
  );
  expect(page).toContain(`ACL SETUSER jit-broker ${brokerRules.replace("broker-password", "…")}\n`);
});
