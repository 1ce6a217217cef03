// Does the work that a network is asked for before it gets one more code, then sends the
// form. For each part it looks for a number with which SHA-256(seed, part, number), each
// a big-endian word but the seed of four, begins with enough zero bits. Without it the
// form has a button, after half a minute.
//
// The hash is our own: that of the browser answers through a promise, which takes fifty
// times as long as the hash of one block.

const form = document.querySelector("#proof");
const bar = form.querySelector("progress");
const parts = Number(form.dataset.parts);
const bits = Number(form.dataset.bits);
const seed = form.dataset.seed.match(/.{8}/g).map((word) => parseInt(word, 16) | 0);

// FIPS 180-4 sections 4.2.2 and 5.3.3: the fractions of cube and square roots of primes.
const k = Int32Array.from(
  ("428a2f98 71374491 b5c0fbcf e9b5dba5 3956c25b 59f111f1 923f82a4 ab1c5ed5 d807aa98 12835b01 243185be 550c7dc3 72be5d74 80deb1fe 9bdc06a7 c19bf174 " +
    "e49b69c1 efbe4786 0fc19dc6 240ca1cc 2de92c6f 4a7484aa 5cb0a9dc 76f988da 983e5152 a831c66d b00327c8 bf597fc7 c6e00bf3 d5a79147 06ca6351 14292967 " +
    "27b70a85 2e1b2138 4d2c6dfc 53380d13 650a7354 766a0abb 81c2c92e 92722c85 a2bfe8a1 a81a664b c24b8b70 c76c51a3 d192e819 d6990624 f40e3585 106aa070 " +
    "19a4c116 1e376c08 2748774c 34b0bcb5 391c0cb3 4ed8aa4a 5b9cca4f 682e6ff3 748f82ee 78a5636f 84c87814 8cc70208 90befffa a4506ceb bef9a3f7 c67178f2").split(" "),
  (word) => parseInt(word, 16) | 0,
);
const w = new Int32Array(64);

// first gives the first word of the hash of six words.
function first(part, number) {
  w.set(seed);
  w[4] = part;
  w[5] = number;
  w[6] = 0x80000000; // the padding, and the length in bits
  w.fill(0, 7, 15);
  w[15] = 192;
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15];
    const y = w[i - 2];
    w[i] =
      (w[i - 16] + w[i - 7] +
        (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) +
        (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10))) | 0;
  }
  let a = 0x6a09e667 | 0, b = 0xbb67ae85 | 0, c = 0x3c6ef372 | 0, d = 0xa54ff53a | 0;
  let e = 0x510e527f | 0, f = 0x9b05688c | 0, g = 0x1f83d9ab | 0, h = 0x5be0cd19 | 0;
  for (let i = 0; i < 64; i++) {
    const s = (h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) + ((e & f) ^ (~e & g)) + k[i] + w[i]) | 0;
    const t = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + s) | 0;
    d = c;
    c = b;
    b = a;
    a = (s + t) | 0;
  }
  return (a + 0x6a09e667) | 0;
}

// Works in turns that are short enough for the page to stay alive. A message, not a
// timer, starts the next: those of a hidden page are a second apart.
const turn = 20; // ms
const turns = new MessageChannel();
let part = 0;
let number = 0;
let answer = "";

turns.port1.onmessage = () => {
  for (const end = performance.now() + turn; performance.now() < end; ) {
    for (let n = 0; n < 256; n++, number++) {
      if (Math.clz32(first(part, number)) < bits) continue;
      answer += number.toString(16).padStart(8, "0");
      number = -1; // 0 next
      part++;
      bar.value = part;
      if (part === parts) {
        form.elements.answer.value = answer;
        form.requestSubmit();
        return;
      }
    }
  }
  turns.port2.postMessage(0);
};
turns.port2.postMessage(0);
