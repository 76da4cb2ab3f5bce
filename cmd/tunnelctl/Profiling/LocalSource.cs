using Tunnel.App.Diagnostics.Profiles;

namespace Tunnel.Ctl.Profiling;

/// <summary>A process of this host, through the runtime's own diagnostics socket.</summary>
internal sealed class LocalSource(int process) : IProfileSource
{
    public string Name => $"process {process}";

    public string ShortName => $"{process}";

    public Task<StackProfile> ProfileAsync(TimeSpan duration, Stream? trace, CancellationToken cancel) =>
        new Profiler(process).CpuAsync(duration, trace, cancel);
}
