import { expect, test } from "vitest";
import { minuteMs } from "../../../src/core/values/time.ts";
import {
  createReconnectLoop,
  type ReconnectLoop,
} from "../../../src/chat/slack/connection/reconnect-loop.ts";

const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** Records every wait; the clock moves only by waits and by what the test says. */
function setUp(connect: () => Promise<void> = async () => {}) {
  const clock = { now: 0 };
  const waits: number[] = [];
  let connects = 0;
  const connecting = createReconnectLoop(
    async () => {
      connects++;
      await connect();
    },
    silent,
    {
      now: () => clock.now,
      random: () => 0.5,
      pause: async (ms) => {
        waits.push(ms);
        clock.now += ms;
      },
    },
  );
  return { clock, waits, connecting, connects: () => connects };
}

async function lost(connecting: ReconnectLoop): Promise<void> {
  connecting.start();
  await new Promise((resolve) => setImmediate(resolve));
}

test("a connection that is made and dropped at once is made again after 1 s, 2 s, 4 s … up to a minute", async () => {
  const { connecting, waits, connects } = setUp();
  for (let count = 0; count < 9; count++) await lost(connecting);
  expect(waits).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, minuteMs, minuteMs]);
  expect(connects()).toBe(9);
});

test("a connection that has lasted is made again at once", async () => {
  const { connecting, waits, clock } = setUp();
  await lost(connecting);
  await lost(connecting);
  clock.now += minuteMs;
  await lost(connecting);
  expect(waits).toEqual([0, 1_000, 0]);
});

test("the wait grows from the first failure on, also over connections that fail and those that do not last", async () => {
  let failures = 2;
  const { connecting, waits } = setUp(async () => {
    if (failures-- > 0) throw new Error("no");
  });
  await lost(connecting);
  await lost(connecting);
  expect(waits).toEqual([0, 1_000, 2_000, 4_000]);
});

test("what was disconnected together does not come back together", () => {
  const waitsAt = async (random: number): Promise<number> => {
    let wait = 0;
    const connecting = createReconnectLoop(async () => {}, silent, {
      now: () => 0,
      random: () => random,
      pause: async (ms) => {
        wait = ms;
      },
    });
    await lost(connecting);
    await lost(connecting);
    return wait;
  };
  return expect(Promise.all([waitsAt(0), waitsAt(1)])).resolves.toEqual([750, 1_250]);
});
