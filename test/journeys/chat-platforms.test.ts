import { expect, test } from "vitest";
import { appId, appPassword, startBotFramework, tenantId } from "../fakes/teams/bot-framework.ts";
import { startFakeSlack, type SlackMessage } from "../fakes/slack/fake-slack.ts";
import { buttonsOf, slackId } from "../chat/slack/support/slack-users.ts";
import { leavesNothingBehind, whenFileIsOver } from "../support/leftover-processes.ts";
import { startProgram, type Program } from "../support/program.ts";
import {
  button,
  memberNamed,
  teamsUsers,
  titles,
  wordsOn,
  type TeamsUsers,
} from "../chat/teams/support/teams-users.ts";

leavesNothingBehind();

const linked = (name: string, ...groups: readonly string[]) => ({
  id: `id_${name}`,
  email: `${name}@company.com`,
  name,
  groups,
  links: {
    slack: { teamId: "T0TEAM", userId: slackId(name) },
    teams: { tenantId, aadObjectId: `aad-${name}` },
  },
});
const config = {
  identities: [linked("dev"), linked("ann", "dba"), linked("bob", "dba")],
  default: { name: "default", approval: { stages: [{ approvers: ["group:dba"], required: 2 }] } },
};

/** Both platforms with people on both. */
async function openPlatforms() {
  const [slack, bots] = [await startFakeSlack(), await startBotFramework(Date.now)];
  whenFileIsOver(() => slack.close());
  whenFileIsOver(() => bots.close());
  for (const { name, email } of config.identities) {
    slack.members.set(slackId(name), { name, profile: { email } });
    bots.members.set(`29:${name}`, memberNamed(name));
  }
  const env = {
    SLACK_BOT_TOKEN: slack.botToken,
    SLACK_SIGNING_SECRET: slack.signingSecret,
    SLACK_API_URL: `${slack.url}/api`,
    MICROSOFT_APP_ID: appId,
    MICROSOFT_APP_PASSWORD: appPassword,
    MICROSOFT_APP_TENANT_ID: tenantId,
    MICROSOFT_LOGIN_URL: `${bots.url}/login`,
    TEAMS_OPENID_METADATA_URL: `${bots.url}/openid`,
    TEAMS_SERVICE_URL_HOSTS: "127.0.0.1",
  };
  let program: Program | undefined;
  const inTeams: TeamsUsers = teamsUsers(bots, Date.now, async (authorization, body) => {
    const headers = { authorization, "content-type": "application/json" };
    const response = await fetch(`${program?.address}/api/messages`, { method: "POST", headers, body });
    return { status: response.status, text: await response.text() };
  });
  return {
    slack,
    inTeams,
    start: async (folder?: string) => {
      program = await startProgram({ config, env, ...(folder !== undefined && { folder }) });
      return program;
    },
    typeInSlack: async (name: string, text: string) => {
      const body = new URLSearchParams({
        command: "/jit",
        text,
        team_id: slack.teamId,
        user_id: slackId(name),
        user_name: name,
        trigger_id: "1.2.abc",
        response_url: slack.responseUrl(),
      }).toString();
      const headers = { "content-type": "application/x-www-form-urlencoded", ...slack.headers(body) };
      const response = await fetch(`${program?.address}/slack/events`, { method: "POST", headers, body });
      expect(response.status).toBe(200);
    },
  };
}

test("requested in Slack, approved in Teams and, after a restart, over the API: cards on both platforms stay up to date", async () => {
  const { slack, inTeams, start, typeInSlack } = await openPlatforms();
  let program = await start();
  for (const name of ["dev", "ann"]) {
    expect((await inTeams.call(inTeams.activity(name, { type: "conversationUpdate" }))).status).toBe(200);
  }
  await typeInSlack("dev", "request read:prod:orders-db for 2h because INC-42");
  const inSlack = (name: string): SlackMessage | undefined => slack.messagesIn(slack.dmOf(slackId(name)))[0];
  const annsCard = () => inTeams.cardsOf("ann")[0];
  await expect.poll(() => titles(annsCard()), { timeout: 10_000 }).toContain("Approve");
  await expect.poll(() => inSlack("bob")?.text).toBeDefined();

  const approved = await inTeams.press("ann", button(annsCard(), "Approve"));
  expect(wordsOn(approved.card)).toContain("1 more approval is needed");
  await expect.poll(() => JSON.stringify(inSlack("bob")?.blocks), { timeout: 10_000 }).toContain("1 of 2");
  await expect.poll(() => wordsOn(annsCard())).toContain("1 of 2");

  await program.stop();
  program = await start(program.folder);
  const id = /jit_\w+/.exec(wordsOn(annsCard()))?.[0] ?? "";
  const bob = await program.person("bob");
  expect((await bob.act(id, "approve")).http).toBe(200);
  await expect.poll(() => titles(annsCard()), { timeout: 10_000 }).toEqual(["Revoke", "Details"]);
  expect(wordsOn(annsCard())).toContain("2 of 2");
  const devInTeams = () => inTeams.cardsOf("dev").flatMap((card) => titles(card));
  await expect.poll(devInTeams).toContain("Show credential");
  const devInSlack = () => slack.messagesIn(slack.dmOf(slackId("dev"))).flatMap((one) => buttonsOf(one));
  await expect.poll(devInSlack).toContain("Show credential");

  const ready = inTeams.cardsOf("dev").find((card) => titles(card).includes("Show credential"));
  const shown = await inTeams.pressInDialog("dev", button(ready, "Show credential"));
  const token = /kd_jit_\w{36}/.exec(shown.text)?.[0] ?? "";
  expect((await program.check(token, "read:prod:orders-db")).http).toBe(200);
  await expect.poll(devInSlack, { timeout: 10_000 }).toContain("I'm done");
  expect(JSON.stringify([slack.calls, [...inTeams.cardsOf("dev")]])).not.toContain("kd_jit_");
  await program.stop();
});
