/**
 * Computes a product, a gradient and a convolution's gradient with a native package, and prints what it runs on as JSON.
 *
 *   node check-child.mjs <the workspace's folder, with a slash> <package>
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import util from "node:util";

const [root, name] = process.argv.slice(2);
const from = (file) => createRequire(`${root}${file}`).resolve(name);
const path = from("packages/networks/src/any.mjs");
assert.equal(from("apps/trainer/src/any.mjs"), path, "the apps find another package than packages/networks does");

// Node 23 removed these; tfjs-node 4.22 still calls them.
Object.assign(util, { isNullOrUndefined: (x) => x == null, isArray: Array.isArray });
const tf = createRequire(import.meta.url)(path);

assert.equal(tf.getBackend(), "tensorflow");
const numbers = (tensor) => [...tensor.dataSync()];

const [a, b] = [tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2])];
assert.deepEqual(numbers(tf.matMul(a, b)), [19, 22, 43, 50]);

// f(x) = (x·w)², x·w = 1·3 + 2·4 = 11, so that ∂f/∂x = 2·11·w
const w = tf.tensor2d([3, 4], [2, 1]);
const f = (x) => tf.sum(tf.square(tf.matMul(x, w)));
assert.deepEqual(numbers(tf.grad(f)(tf.tensor2d([1, 2], [1, 2]))), [66, 88]);

// Of the sum of all outputs, by each weight of a 2 × 2 filter: the sum of the four pixels that it meets.
const image = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
const sum = (filter) => tf.sum(tf.conv2d(image, filter, 1, "valid"));
assert.deepEqual(numbers(tf.grad(sum)(tf.ones([2, 2, 1, 1]))), [12, 16, 24, 28]);

console.log(JSON.stringify({ gpu: tf.backend().isUsingGpuDevice === true, node: process.version }));
