import canonicalize from "canonicalize";
import Database from "better-sqlite3";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { chainHash, chainStart } from "../../src/store/shared/audit-chain.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { Part } from "../part.ts";
import { inTemporaryFolder } from "../processes.ts";
import { measureAlternately } from "../rounds.ts";
import { inChunks, seed } from "../seeding.ts";

const records = 300_000;
const memorySampleMs = 20;

/** Verifies the whole chain, beside a loop that only parses, canonicalises and hashes. */
export const measureAudit: Part = () =>
  inTemporaryFolder(async (folder) => {
    const file = join(folder, "data", "jit.db");
    fill(file);
    const store = await openSqliteStore({
      file,
      onFatal: (error) => {
        throw error;
      },
    });
    const client = new Database(file, { readonly: true });
    try {
      const verify = async (): Promise<number> => {
        const start = performance.now();
        const verdict = await store.verifyAudit();
        if (!verdict.ok || verdict.events !== records) throw new Error(JSON.stringify(verdict));
        return perSecond(start);
      };
      const found = await measureAlternately(5, verify, () => bareLoop(client));
      const before = process.memoryUsage().rss;
      const peak = await peakMemory(verify);
      return [
        { what: "Audit records verified, of 300,000", unit: "1/s", ...found, expected: { atLeast: 0.8 } },
        {
          what: "– memory at its peak (raw: before)",
          unit: "MB",
          measured: peak / 2 ** 20,
          raw: before / 2 ** 20,
          ratio: peak / before,
          expected: { atMost: 1.25 },
        },
      ];
    } finally {
      client.close();
      await store.close();
    }
  });

function perSecond(start: number): number {
  return (records / (performance.now() - start)) * 1_000;
}

async function peakMemory(work: () => Promise<unknown>): Promise<number> {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, memorySampleMs);
  await work();
  clearInterval(timer);
  return peak;
}

function bareLoop(client: Database.Database): number {
  const start = performance.now();
  let previous = chainStart;
  const rows = client
    .prepare<[], { seq: number; body: string; hash: string }>(
      "SELECT seq, body, hash FROM audit_events ORDER BY seq",
    )
    .iterate();
  for (const { seq, body, hash } of rows) {
    const link = createHash("sha256").update("\0").update(previous, "hex").update(`${seq}\n`).update(body);
    if (link.digest("hex") !== hash || canonicalize(JSON.parse(body)) !== body) throw new Error(`bad ${seq}`);
    previous = hash;
  }
  return perSecond(start);
}

function fill(file: string): void {
  seed(file, (client) => {
    const insert = client.prepare("INSERT INTO audit_events (seq, body, hash) VALUES (?, ?, ?)");
    let hash = chainStart;
    inChunks(client, records, (index) => {
      const body = bodyNumber(index);
      hash = chainHash(hash, index + 1, body);
      insert.run(index + 1, body, hash);
    });
  });
}

function bodyNumber(index: number): string {
  const body = canonicalize({
    at: new Date(Date.UTC(2024, 0, 15) + index * 1_000).toISOString(),
    action: "approval.given",
    actor: { type: "human", id: `id_person${index % 100}`, name: `Person ${index % 100}`, via: "api" },
    request: `jit_${String(index).padStart(16, "0")}`,
    identity: `id_person${index % 97}`,
    data: { stages: [1], comment: "The runbook says so; ends with the incident.", duration: "1h30m" },
  });
  if (body === undefined) throw new Error("a record has a body");
  return body;
}
