import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startFakeSlack, type FakeSlack } from "../../test/fakes/slack/fake-slack.ts";
import { createSlackUsers, slackId, type SlackUsers } from "../../test/chat/slack/support/slack-users.ts";
import type { Part } from "../part.ts";
import { inTemporaryFolder, startProgram } from "../processes.ts";
import { percentile } from "../rounds.ts";

const pressesAtOnce = 50;
const rounds = 6;
const warmUps = 2;
/** The acknowledgement time that we promise; Slack itself gives up after 3,000 ms. */
const ackMs = 250;
const approvers = ["ANN", "BOB", "CID"];
const requesters = Array.from({ length: pressesAtOnce }, (_, index) => `P${index}`);
/** Each approver and the requester have a card. */
const cardsPerRequest = approvers.length + 1;

/**
 * Measures fifty simultaneous presses of Approve, each on another person's request. An acknowledgement follows the check
 * of the signature, the look-up of the sender and the durable decision. The fake Slack runs in this process and uses one
 * of the two cores. The figure is compared with the promised time.
 */
export const measureSlack: Part = () =>
  inTemporaryFolder(async (folder) => {
    const fake = await startFakeSlack();
    writeFileSync(join(folder, "jit.yaml"), JSON.stringify(configuration(fake)));
    const program = await startProgram(folder, {
      SLACK_BOT_TOKEN: fake.botToken,
      SLACK_SIGNING_SECRET: fake.signingSecret,
      SLACK_API_URL: `${fake.url}/api`,
    });
    const slackUsers = createSlackUsers(`http://127.0.0.1:${program.port}`, fake);
    const acks: number[] = [];
    try {
      await until(() => fake.calls.some((one) => one.method === "auth.test"));
      for (let round = -warmUps; round < rounds; round++) {
        const found = await pressTogether(slackUsers, fake, round);
        if (round >= 0) acks.push(...found);
      }
    } finally {
      await program.stop();
      await fake.close();
    }
    return [0.5, 0.99]
      .map((share) => {
        const measured = percentile(acks, share);
        return {
          what:
            share === 0.5
              ? "– half of them"
              : "Slack: 50 presses at once, acknowledged (99 in 100; raw: what is allowed)",
          unit: "ms",
          measured,
          raw: ackMs,
          ratio: measured / ackMs,
          ...(share === 0.99 && { expected: { atMost: 1 } }),
        };
      })
      .toReversed();
  });

async function pressTogether(
  slackUsers: SlackUsers,
  fake: FakeSlack,
  round: number,
): Promise<readonly number[]> {
  const responses = fake.responses.length;
  // Messages of earlier rounds stay, because the service posts a card again when its message is gone.
  const scope = `read:prod:db-${round + warmUps}`;
  for (const name of requesters)
    await slackUsers.command(name, `request ${scope} for 1h because of an incident`);
  await until(() => cardsFor(fake, scope).length >= pressesAtOnce * cardsPerRequest);
  const cards = cardsFor(fake, scope).filter(
    ({ channel }) => channel === fake.dmOf(slackId(approvers[0] ?? "")),
  );
  const acks = await Promise.all(
    cards.map(async (card, index) => {
      const startedAt = performance.now();
      const ack = await slackUsers.press(approvers[index % approvers.length] ?? "", card, "approve");
      return { ...ack, ms: performance.now() - startedAt };
    }),
  );
  // No press may be lost, so wait until every one has been answered.
  await until(() => fake.responses.length - responses >= pressesAtOnce);
  const approved = fake.responses
    .slice(responses)
    .filter((one) => JSON.stringify(one).includes("You approved it"));
  if (acks.some((one) => one.status !== 200) || approved.length !== pressesAtOnce) {
    throw new Error(`${approved.length} of ${pressesAtOnce} presses counted`);
  }
  return acks.map((one) => one.ms);
}

function cardsFor(fake: FakeSlack, scope: string) {
  return [...fake.messages.values()].filter(
    (message) => message.thread === undefined && JSON.stringify(message).includes(`\`${scope}\``),
  );
}

function configuration(fake: FakeSlack): object {
  const identities = [...approvers, ...requesters].map((name) => {
    const userId = slackId(name);
    fake.members.set(userId, { name });
    return {
      id: `id_${name}`,
      email: `${name}@company.com`,
      name,
      groups: approvers.includes(name) ? ["approvers"] : [],
      links: { slack: { teamId: fake.teamId, userId } },
    };
  });
  const approval = { stages: [{ approvers: ["group:approvers"] }] };
  return { identities, policies: [{ name: "databases", conditions: [], approval }] };
}

async function until(isTrue: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!isTrue()) {
    if (performance.now() > end) throw new Error("the condition did not become true in time");
    await pause(20);
  }
}
