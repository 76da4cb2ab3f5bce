using Tunnel.App.Diagnostics.Profiles;

namespace Tunnel.Ctl.Profiling;

/// <summary>Whose profile is made, and how it is reached.</summary>
internal interface IProfileSource
{
    /// <summary>For messages: process 123.</summary>
    string Name { get; }

    /// <summary>For file names: 123.</summary>
    string ShortName { get; }

    /// <summary>Profiles processor time.</summary>
    /// <param name="duration">For how long.</param>
    /// <param name="trace">Takes the trace as well (.nettrace); null if nobody wants it.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="ProfilerException">There is no profile.</exception>
    Task<StackProfile> ProfileAsync(TimeSpan duration, Stream? trace, CancellationToken cancel);
}
