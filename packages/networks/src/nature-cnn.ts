import type { CnnSpec, ImageShape } from "@magic-mask/core";

/**
 * The net of Mnih et al. 2015 (doi:10.1038/nature14236, "Methods"): 32 kernels 8×8 by 4, 64 4×4 by 2, 64 3×3 by 1, then 512
 * rectifiers. Made for images of 84×84×4; it needs sides of 36 or more.
 *
 * @param image [height, width, channels]
 * @param outputs width of each tower, e.g. `[n + 1]` for n actions and a value on one trunk
 */
export const natureCnn = (image: ImageShape, outputs: readonly number[]): CnnSpec => ({
  kind: "cnn",
  inputs: image[0] * image[1] * image[2],
  image,
  filters: [
    { size: 8, stride: 4, channels: 32 },
    { size: 4, stride: 2, channels: 64 },
    { size: 3, stride: 1, channels: 64 },
  ],
  hidden: [512],
  activation: "relu",
  outputs,
});
