import { parentPort, workerData } from "node:worker_threads";
import { present } from "../core/assert.ts";
import { createBatchWriter } from "./batch-writer.ts";
import { createLogRestart } from "./log-restart.ts";
import { openWriter } from "./open-database.ts";
import { answering, type Word } from "./thread-talk.ts";

/** What runs in the thread that writer-thread.ts begins: batches of steps come in, a word on each goes out. */

const port = present(parentPort, "the thread that began this one");
const { file }: { readonly file: string } = workerData;
const client = openWriter(file);
const answer = answering(createBatchWriter(client));
const restartLog = createLogRestart(client);

function say(word: Word): void {
  port.postMessage(JSON.stringify(word));
}

port.on("message", (batch: string) => {
  if (batch !== "") {
    const word = answer(batch);
    restartLog();
    return say(word);
  }
  client.close();
  port.close();
});
say({ is: "ready" });
