import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readConfigFile } from "../../src/config/config-file.ts";
import { brokerRules } from "./support/redis-lab.ts";
import { brokerSetup } from "./support/postgres-lab.ts";

const kindsOfPages = ["postgres", "ssh", "redis", "webhook"];
const page = kindsOfPages
  .map((kind) => readFileSync(new URL(`../../docs/connectors/${kind}.md`, import.meta.url), "utf8"))
  .join("\n");

function blocks(language: string): readonly string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(([, text = ""]) => text);
}

test("the page shows a configuration of every kind, and each is read", () => {
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

test("the brokers of the tests have the rights of the page and none beyond", () => {
  const sql = (blocks("sql")[0] ?? "").replaceAll("jit_broker", "broker").replace("'…'", "'broker-password'");
  const aboutBroker = brokerSetup(16).filter((statement) => /\bbroker\b/.test(statement));
  expect(aboutBroker.map((statement) => `${statement};`)).toEqual(
    sql.split("\n").flatMap((line) => (/^(CREATE|GRANT)/.test(line) ? [line.replace(/ --.*/, "")] : [])),
  );
  expect(page).toContain(`ACL SETUSER jit-broker ${brokerRules.replace("broker-password", "…")}\n`);
});
