import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { testPostgresBehaviour } from "./postgres-behaviour.ts";
import { embeddedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
testPostgresBehaviour(embeddedPostgres());
