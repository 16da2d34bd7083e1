import { expect } from "vitest";
import type { Answer, Person } from "../../support/api-client.ts";
import { pause } from "../../support/program.ts";

/** Requests auto-approved access, and claims it until its targets are ready. */
export async function claimed(dev: Person, scopes: readonly string[]): Promise<Answer> {
  let answer = await dev.ask({ scopes });
  for (; answer.body.credential === undefined; answer = await dev.act(answer.body.id, "claim")) {
    expect([201, 202]).toContain(answer.http);
    await pause(200);
  }
  return answer;
}
