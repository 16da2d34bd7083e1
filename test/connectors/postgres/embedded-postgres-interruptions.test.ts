import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { testPostgresInterruptions } from "./postgres-interruptions.ts";
import { embeddedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
testPostgresInterruptions(embeddedPostgres());
