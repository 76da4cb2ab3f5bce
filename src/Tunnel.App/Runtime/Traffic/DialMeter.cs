using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime.Traffic;

/// <summary>How connecting to targets went, and how long it took. Once a stream, so a lock is cheap enough. Thread-safe.</summary>
public sealed class DialMeter
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<DialResult, Histogram> _byResult = [];

    /// <summary>Told of each, outside of any lock.</summary>
    public event Action<DialResult, TimeSpan>? Counted;

    public void Count(DialResult result, TimeSpan took)
    {
        lock (_lock)
        {
            if (!_byResult.TryGetValue(result, out Histogram? histogram))
                _byResult[result] = histogram = new Histogram();
            histogram.Add((long)took.TotalMilliseconds);
        }

        Counted?.Invoke(result, took);
    }

    /// <summary>Milliseconds that it took, for each result that there was.</summary>
    public IReadOnlyList<(DialResult Result, HistogramSum Times)> Read()
    {
        lock (_lock)
        {
            return [.. _byResult.Select(entry =>
            {
                var sum = new HistogramSum();
                entry.Value.AddTo(sum);
                return (entry.Key, sum);
            })];
        }
    }
}
