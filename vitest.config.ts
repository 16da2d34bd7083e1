import { defineConfig } from "vitest/config";
import { PlainSummary } from "./test/support/plain-summary.ts";

/** One project per kind of test, so `vitest run --project core` runs the fast ones alone. */
const project = (name: string, include: string, testTimeout: number) => ({
  test: { name, include: [include], testTimeout, hookTimeout: testTimeout, restoreMocks: true },
});

export default defineConfig({
  test: {
    reporters: ["default", new PlainSummary()],
    projects: [
      project("rules", "test/*.test.ts", 20_000),
      project("core", "test/core/**/*.test.ts", 20_000),
      project("config", "test/config/**/*.test.ts", 10_000),
      project("wording", "test/wording/**/*.test.ts", 10_000),
      project("store", "test/store/**/*.test.ts", 20_000),
      project("service", "test/service/**/*.test.ts", 20_000),
      project("background", "test/background/**/*.test.ts", 10_000),
      project("http-client", "test/http-client/**/*.test.ts", 10_000),
      project("notify", "test/notify/**/*.test.ts", 20_000),
      project("chat", "test/chat/**/*.test.ts", 20_000),
      project("app", "test/app/**/*.test.ts", 10_000),
      project("http", "test/http/**/*.test.ts", 20_000),
      project("journeys", "test/journeys/**/*.test.ts", 60_000),
      project("crash", "test/crash/**/*.test.ts", 90_000),
      project("cli", "test/cli/**/*.test.ts", 30_000),
      project("maintenance", "test/maintenance/**/*.test.ts", 20_000),
      project("connectors", "test/connectors/**/*.test.ts", 60_000),
      project("proxies", "test/proxies/**/*.test.ts", 30_000),
    ],
  },
});
