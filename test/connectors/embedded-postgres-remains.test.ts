import { leavesNothingBehind } from "../support/left-behind.ts";
import { findsWhatRemains } from "./postgres-remains.ts";
import { embeddedPostgres } from "./support/postgres-server.ts";

leavesNothingBehind();
findsWhatRemains(embeddedPostgres());
