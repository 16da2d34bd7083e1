import { parentPort, workerData } from "node:worker_threads";
import { assertPresent } from "../../../core/values/assert.ts";
import { createBatchWriter } from "./batch-writer.ts";
import { createLogRestart } from "./wal-checkpoint.ts";
import { openWriter } from "../file/open-database.ts";
import { answering, type Word } from "./worker-protocol.ts";

/** What runs in the thread that writer-thread.ts begins: batches of steps come in, a word on each goes out. */

const port = assertPresent(parentPort, "the thread that began this one");
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
