using System.Runtime.InteropServices;
using Tunnel.App.Hosting;

namespace Tunnel.Ctl.Check;

/// <summary>Which machine it was, and when.</summary>
internal sealed record HostIdentity
{
    public required DateTimeOffset Time { get; init; }

    public required string Name { get; init; }

    /// <summary>Of the kernel, as uname -r has it.</summary>
    public required string Kernel { get; init; }

    public required string System { get; init; }

    public required string Architecture { get; init; }

    /// <summary>The processor's own name; null when it does not tell (arm64).</summary>
    public required string? Processor { get; init; }

    public required int Processors { get; init; }

    /// <summary>Null when the kernel does not say.</summary>
    public long? MemoryBytes { get; init; }

    public required string? Interface { get; init; }

    /// <summary>Of the tunnel's programs.</summary>
    public required string Version { get; init; }

    public static HostIdentity Read(CheckContext context) => new()
    {
        Time = DateTimeOffset.UtcNow,
        Name = context.Files.Read("/proc/sys/kernel/hostname").Text?.Trim() ?? Environment.MachineName,
        Kernel = context.Files.Read("/proc/sys/kernel/osrelease").Text?.Trim() ?? "unknown",
        System = RuntimeInformation.OSDescription,
        Architecture = RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant(),
        Processor = ReadProcessor(context.Files),
        Processors = context.Processors,
        MemoryBytes = context.MemoryBytes,
        Interface = context.Interface,
        Version = TunnelProgram.Version,
    };

    /// <summary>The processor's own name; null when it does not tell.</summary>
    public static string? ReadProcessor(KernelFiles files) => files.Read("/proc/cpuinfo").Text?.Split('\n')
        .FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[^1].Trim();
}
