namespace Tunnel.Ctl.Bench.Workloads;

/// <summary>What one worker does again and again. Used by one worker; only <see cref="Abort"/> may come from another thread.</summary>
internal interface IWorkload : IDisposable
{
    /// <summary>Does it once; connects first if need be.</summary>
    /// <param name="connect">Where the time that connecting took is recorded.</param>
    /// <param name="isMeasured">Whether it is.</param>
    /// <returns>The bytes of payload that were carried, both directions together.</returns>
    ValueTask<long> OperateAsync(LatencyHistogram connect, bool isMeasured);

    /// <summary>Gives up the connection after a failure; the next operation makes a new one.</summary>
    void Reset();

    /// <summary>Makes an operation that is under way fail.</summary>
    void Abort();
}
