// Numbers as people read them: three figures and a unit.

const steps = ["", "k", "M", "G", "T", "P"];

function scaled(value, base) {
  let step = 0;
  while (Math.abs(value) >= 999.5 && step < steps.length - 1) {
    value /= base;
    step++;
  }
  const digits = step === 0 && Number.isInteger(value) ? 0 : value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return [value.toFixed(digits), steps[step]];
}

export const none = ["–", ""];

export const bits = bytesPerSecond => {
  const [number, step] = scaled(bytesPerSecond * 8, 1000);
  return [number, step + "bit/s"];
};

export const bytes = count => {
  const [number, step] = scaled(count, 1024);
  return [number, step === "" ? "B" : (step === "k" ? "K" : step) + "iB"];
};

export const count = value => {
  const [number, step] = scaled(value, 1000);
  return [number, step];
};

export const perSecond = value => {
  const [number, step] = scaled(value, 1000);
  return [number, step + "/s"];
};

export const milliseconds = value => {
  if (value === null || value === undefined) return none;
  if (value >= 10000) return [(value / 1000).toFixed(1), "s"];
  return [value >= 99.95 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1), "ms"];
};

export const percent = value => [value >= 99.95 || value === 0 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2), "%"];

export const duration = seconds => {
  const s = Math.floor(seconds);
  if (s < 60) return [`${s}`, "s"];
  if (s < 3600) return [`${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")}`, "s"];
  if (s < 86400) return [`${Math.floor(s / 3600)} h ${String(Math.floor(s / 60) % 60).padStart(2, "0")}`, "min"];
  return [`${Math.floor(s / 86400)} d ${String(Math.floor(s / 3600) % 24).padStart(2, "0")}`, "h"];
};

export const text = ([number, unit]) => unit === "" ? number : `${number} ${unit}`;
