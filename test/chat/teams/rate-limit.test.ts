import { describe, expect, test } from "vitest";
import { DeliveryFault } from "../../../src/service/messaging/messenger.ts";
import { createSendRateLimiter } from "../../../src/chat/teams/outbound/rate-limit.ts";

describe("the rate limit of Teams", () => {
  const waitOf = (work: () => void): number | undefined => {
    try {
      work();
      return undefined;
    } catch (error) {
      if (error instanceof DeliveryFault) return error.retryAfterMs;
      throw error;
    }
  };

  test("seven messages a second in one conversation; the next has to wait", () => {
    let now = 0;
    const rateLimiter = createSendRateLimiter(() => now);
    for (let count = 0; count < 7; count++) {
      rateLimiter.take("a");
      now += 100;
    }
    expect(waitOf(() => rateLimiter.take("a"))).toBe(300);
    expect(waitOf(() => rateLimiter.take("b"))).toBeUndefined();
    now += 300;
    expect(waitOf(() => rateLimiter.take("a"))).toBeUndefined();
  });

  test("thirty messages a second in total", () => {
    let now = 0;
    const rateLimiter = createSendRateLimiter(() => now);
    for (let count = 0; count < 30; count++) rateLimiter.take(`conversation ${count}`);
    expect(waitOf(() => rateLimiter.take("one more"))).toBe(1_000);
    now += 1_000;
    expect(waitOf(() => rateLimiter.take("one more"))).toBeUndefined();
  });
});
