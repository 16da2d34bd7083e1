import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { findsWhatRemains } from "./postgres-remains.ts";
import { embeddedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
findsWhatRemains(embeddedPostgres());
