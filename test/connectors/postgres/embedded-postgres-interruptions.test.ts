import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { staysWholeOnPostgres } from "./postgres-interruptions.ts";
import { embeddedPostgres } from "../support/postgres-server.ts";

leavesNothingBehind();
staysWholeOnPostgres(embeddedPostgres());
