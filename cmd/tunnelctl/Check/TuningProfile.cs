namespace Tunnel.Ctl.Check;

/// <summary>What a host is tuned for.</summary>
internal enum TuningProfile
{
    /// <summary>Many gigabytes, many connections: large buffers, fewer interrupts.</summary>
    Throughput,

    /// <summary>Each packet at once, at the price of processor time.</summary>
    Latency,

    /// <summary>A machine with little memory and other work: mostly as the kernel comes.</summary>
    Small,
}
