import { simpleParser, type ParsedMail } from "mailparser";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { text as textOf } from "node:stream/consumers";
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from "smtp-server";
import { onTestFinished } from "vitest";

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  readonly mail: ParsedMail;
}

export interface MailServer {
  readonly url: string;
  readonly received: readonly ReceivedMail[];
  close(): Promise<void>;
}

/** A real SMTP server on 127.0.0.1 without encryption; the test sets its other options. */
export async function openMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    closeTimeout: 50,
    onData(stream, session, done) {
      void keep(received, stream, session, done);
    },
    ...options,
  });
  // A client that disconnects is not an error of the test.
  server.on("error", () => {});
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= new Promise((closed) => server.close(() => closed()));
    return closing;
  };
  onTestFinished(close);
  const { port } = server.server.address() as AddressInfo;
  return { url: `smtp://127.0.0.1:${port}`, received, close };
}

async function keep(
  received: ReceivedMail[],
  stream: Readable,
  { envelope }: SMTPServerSession,
  done: () => void,
): Promise<void> {
  const raw = await textOf(stream);
  const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
  const to = envelope.rcptTo.map(({ address }) => address);
  received.push({ from, to, raw, mail: await simpleParser(raw) });
  done();
}

/** An SMTP error with this reply code. */
export function reply(code: number, text = "said the server"): Error {
  return Object.assign(new Error(text), { responseCode: code });
}
