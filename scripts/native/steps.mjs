import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { run } from "../run.mjs";
import { Refusal } from "./refusal.mjs";

/** Unpacks of all wheels in a folder, which are zip archives, the members whose names begin as told. */
const UNZIP = `
import pathlib, sys, zipfile
wheels, to, *beginnings = sys.argv[1:]
for wheel in pathlib.Path(wheels).iterdir():
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(to, [name for name in archive.namelist() if name.startswith(tuple(beginnings))])`;

/** Prints what the wheel in a folder wants for its extra "and-cuda", NVIDIA's packages alone, one a line as pip takes it. */
const CUDA = `
import pathlib, re, sys, zipfile
[wheel] = pathlib.Path(sys.argv[1]).iterdir()
with zipfile.ZipFile(wheel) as archive:
    [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    for line in archive.read(metadata).decode().splitlines():
        found = re.match(r"Requires-Dist: (nvidia-\\S+)\\s*\\(?==([^);\\s]+)\\)?.*and-cuda", line)
        if found: print("==".join(found.groups()))`;

/** What the addon includes. */
const HEADERS = ["tensorflow/c/", "tensorflow/core/platform/", "tsl/"].map((folder) => `tensorflow/include/${folder}`);

/** The addon speaks Node-API, whose 8th version Node 20 and all later ones have: it is compiled once for all of them. */
const NAPI = 8;

/**
 * The steps that fill `built`, an empty folder, in order.
 *
 * @returns what each does, for the user, and how
 */
export function stepsOf(recipe, built) {
  const { name, version, wheel, tensorflow, cuda } = recipe;
  const home = `${built}/node_modules/${name}`;
  const scratch = `${built}/scratch`;
  mkdirSync(scratch);
  const python = (what, ...args) => execute(built, what, "python3", args);
  const pip = (...wanted) =>
    python("pip", ..."-m pip download --no-deps --only-binary=:all: --disable-pip-version-check".split(" "), ...wanted);

  return [
    {
      what: `npm install ${name}@${version}, install scripts off`,
      async run() {
        const flags = "--ignore-scripts --no-save --no-package-lock --no-audit --no-fund".split(" ");
        // npm tells its children where it works itself; --prefix has the last word.
        const wanted = [`${name}@${version}`, HEADERS_OF_NODE];
        await execute(built, "npm", "npm", ["install", "--prefix", built, ...flags, ...wanted]);
        shareTfjs(name, built);
      },
    },
    {
      what: `pip download ${wheel}==${tensorflow} (${wheel === "tensorflow" ? 475 : 207} MB)`,
      run: () => pip("--python-version", "310", "--dest", `${scratch}/wheel`, `${wheel}==${tensorflow}`),
    },
    {
      what: "unpack libtensorflow and its headers from it",
      async run() {
        await python("unpacking", "-c", UNZIP, `${scratch}/wheel`, scratch, "tensorflow/libtensorflow_", ...HEADERS);
        mkdirSync(`${home}/deps/lib`, { recursive: true });
        for (const library of ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"]) {
          renameSync(`${scratch}/tensorflow/${library}`, `${home}/deps/lib/${library}`);
        }
        // by these names the compiler looks for them
        symlinkSync("libtensorflow_cc.so.2", `${home}/deps/lib/libtensorflow.so`);
        symlinkSync("libtensorflow_framework.so.2", `${home}/deps/lib/libtensorflow_framework.so`);
      },
    },
    ...(cuda ? [{ what: "pip download CUDA's libraries, as the wheel wants them (2 GB)", run: fetchCuda }] : []),
    {
      what: "compile the package's addon against it with g++",
      async run() {
        mkdirSync(`${home}/lib/napi-v${NAPI}`, { recursive: true });
        const flags = [
          ..."-shared -fPIC -O2 -std=c++17".split(" "),
          `-DNAPI_VERSION=${NAPI}`,
          "-DNODE_GYP_MODULE_NAME=tfjs_binding",
          `-I${built}/node_modules/${HEADERS_OF_NODE}/include`,
          `-I${scratch}/tensorflow/include`,
          ..."binding/tfjs_backend.cc binding/tfjs_binding.cc".split(" "),
          ..."-Ldeps/lib -ltensorflow -ltensorflow_framework".split(" "),
          // It finds the libraries from where it lies, wherever that is.
          "-Wl,-rpath,$ORIGIN/../../deps/lib",
          "-o",
          `lib/napi-v${NAPI}/tfjs_binding.node`,
        ];
        await execute(built, "g++", "g++", flags, home);
        rmSync(scratch, { recursive: true });
        rmSync(`${built}/node_modules/${HEADERS_OF_NODE}`, { recursive: true });
      },
    },
  ];

  /** libtensorflow looks for CUDA in `../nvidia/<part>/lib`, from where it lies. */
  async function fetchCuda() {
    const wanted = (await python("reading the wheel", "-c", CUDA, `${scratch}/wheel`)).split("\n");
    await pip("--dest", `${scratch}/cuda`, ...wanted);
    await python("unpacking", "-c", UNZIP, `${scratch}/cuda`, `${home}/deps`, "nvidia/");
  }
}

/** The npm package with Node-API's C headers. */
const HEADERS_OF_NODE = "node-api-headers";

/**
 * Has the package use the tfjs that packages/networks uses, for two copies would each load and register everything; npm's
 * own copy, some 200 MB, goes.
 */
function shareTfjs(name, built) {
  const scope = `${built}/node_modules/@tensorflow`;
  for (const other of readdirSync(scope)) {
    if (`@tensorflow/${other}` !== name) rmSync(`${scope}/${other}`, { recursive: true });
  }
  // From the place where the installation is going to lie, .native/<backend>/node_modules/@tensorflow.
  symlinkSync("../../../../packages/networks/node_modules/@tensorflow/tfjs", `${scope}/tfjs`);
  // One of the package's files asks for tfjs's core by name, which tfjs is a superset of. The type is said, for some
  // programs (jest) take that of the next package.json above, which is the workspace's, for it.
  mkdirSync(`${scope}/tfjs-core`);
  writeFileSync(`${scope}/tfjs-core/package.json`, '{ "name": "@tensorflow/tfjs-core", "type": "commonjs" }\n');
  writeFileSync(`${scope}/tfjs-core/index.js`, 'module.exports = require("@tensorflow/tfjs");\n');
}

/**
 * Runs a program to its end.
 *
 * @returns what it printed
 * @throws Refusal with the end of that if it fails
 */
async function execute(built, what, command, args, cwd = built) {
  const log = `${built}.log`;
  const output = openSync(log, "w");
  // What programs put into temporary folders goes when the rest goes.
  const env = { ...process.env, TMPDIR: `${built}/scratch` };
  const code = await run(command, args, { cwd, env, stdio: ["ignore", output, output] });
  closeSync(output);
  const said = readFileSync(log, "utf8").trim();
  if (code === 0) return said;
  const end = said.split("\n").slice(-20).join("\n");
  throw new Refusal(`${what} failed (exit code ${code}); the end of what it said:\n${end}`);
}
