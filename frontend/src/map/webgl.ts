/** What the map's own layers share: places as numbers, programs of the graphics card. */
import type { Values } from "../api/types";
import { ramp, RAMP_SIZE, shareOf, type Range } from "./colour";

export type Rgb = [number, number, number];

/** Where a place is on a map of the world, 0 to 1 each way. */
export function mercator(lon: number, lat: number): [number, number] {
  const clipped = Math.min(Math.max(lat, -85), 85);
  const y = 0.5 - Math.log(Math.tan(Math.PI / 4 + (clipped * Math.PI) / 360)) / (2 * Math.PI);
  return [(lon + 180) / 360, y];
}

/** The matrix for positions relative to `origin`. */
export function moved(matrix: ArrayLike<number>, [x, y]: [number, number]): Float32Array {
  const out = Float32Array.from(matrix);
  for (let row = 0; row < 4; row += 1) {
    out[12 + row] = (matrix[row] ?? 0) * x + (matrix[4 + row] ?? 0) * y + (matrix[12 + row] ?? 0);
  }
  return out;
}

/** A program of two shaders. */
export function linked(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(kind);
    if (!shader) throw new Error("no shader");
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    throw new Error(gl.getProgramInfoLog(program) ?? "shaders do not link");
  }
  return program;
}

/** The colours of values as a texture. */
export function rampTexture(gl: WebGL2RenderingContext): WebGLTexture {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, RAMP_SIZE, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, ramp());
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
    gl.texParameteri(gl.TEXTURE_2D, name, gl.LINEAR);
  }
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
    gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
  }
  return texture;
}

/** Shares of a range, for the ramp: below 0 is not measured. */
export function sharesOf(
  values: Values, range: Range | null, count: number,
): Float32Array<ArrayBuffer> {
  const found = new Float32Array(count).fill(-1);
  for (let i = 0; i < count; i += 1) {
    const value = values[i];
    if (value === null || value === undefined || !range) continue;
    found[i] = Math.min(Math.max(shareOf(value, range), 0), 1);
  }
  return found;
}

/** Send what changed of a layer's numbers: two a corner where it stands (`at`), else one. */
export function upload<Name extends string>(
  gl: WebGL2RenderingContext, program: WebGLProgram, buffers: Record<Name, WebGLBuffer>,
  data: Record<Name, Float32Array<ArrayBuffer>>, stale: Record<Name, boolean>,
): void {
  for (const name of Object.keys(buffers) as Name[]) {
    if (!stale[name]) continue;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, data[name], gl.DYNAMIC_DRAW);
    const location = gl.getAttribLocation(program, `a_${name}`);
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, name === "at" ? 2 : 1, gl.FLOAT, false, 0, 0);
    stale[name] = false;
  }
}

/** What both layers set before they draw: where places are, the ramp, and how colours mix. */
export function prepare(
  gl: WebGL2RenderingContext, program: WebGLProgram, matrix: Float32Array,
  texture: WebGLTexture | null,
): void {
  gl.uniformMatrix4fv(gl.getUniformLocation(program, "u_matrix"), false, matrix);
  gl.activeTexture(gl.TEXTURE0);
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.uniform1i(gl.getUniformLocation(program, "u_ramp"), 0);
  gl.disable(gl.DEPTH_TEST);
  gl.disable(gl.STENCIL_TEST);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
}
