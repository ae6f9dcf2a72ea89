#!/usr/bin/env node
import { serveStandardStreams } from "../dist/serve.js";

await serveStandardStreams();
