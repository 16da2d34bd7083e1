import { beforeEach, describe } from "vitest";
import { createEmail } from "../../../src/notify/email/email-messenger.ts";
import { identityFixture } from "../../support/fixtures.ts";
import { messengerContract } from "../../support/messenger-contract.ts";
import { openMailServer, type MailServer } from "./support/mail-server.ts";

describe("e-mail as a messenger", () => {
  let server: MailServer;
  beforeEach(async () => {
    server = await openMailServer();
  });

  messengerContract(() => {
    const { email: _, ...unreachable } = identityFixture("program", { kind: "SERVICE" });
    return {
      messenger: createEmail({ smtpUrl: server.url, from: "jit@company.com" }, { warn: () => undefined }),
      person: identityFixture("lead"),
      stranger: unreachable,
      channel: "email:security@company.com",
      latest: () => {
        const rows = (server.received.at(-1)?.mail.text ?? "").split("\n");
        return {
          ours: rows.filter((row) => !row.startsWith(">")),
          theirs: rows.flatMap((row) => (row.startsWith("> ") ? [row.slice(2)] : [])),
          buttons: [],
        };
      },
      arrived: () => server.received.length,
      deleteAll: null,
      takeDown: () => server.close(),
    };
  });
});
