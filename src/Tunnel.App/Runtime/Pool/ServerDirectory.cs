using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Runtime.Resolving;

namespace Tunnel.App.Runtime.Pool;

/// <summary>
/// From the file's [[server]] entries to servers: SRV records are asked for, again when they expire, and kept when nobody answers.
/// Thread-safe.
/// </summary>
/// <param name="dns">Asked for SRV records.</param>
/// <param name="changed">Told all servers whenever they may have changed; one call at a time.</param>
/// <param name="logger">Where a user sees that a name does not resolve.</param>
public sealed partial class ServerDirectory(DnsClient dns, Action<IReadOnlyList<ServerSpec>> changed, ILogger logger) : IDisposable
{
    private static readonly TimeSpan ShortestLife = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestLife = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Lookup> _lookups = new(StringComparer.OrdinalIgnoreCase);
    private IReadOnlyList<RemoteServerConfig> _entries = [];
    private bool _disposed;

    /// <summary>The entries are these from now on.</summary>
    public void Apply(IReadOnlyList<RemoteServerConfig> entries)
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            _entries = entries;
            HashSet<string> names = [.. entries.Where(e => e.Srv is not null).Select(e => e.Srv!)];
            foreach (string name in _lookups.Keys.Where(n => !names.Contains(n)).ToArray())
            {
                _lookups[name].Stop.Cancel();
                _lookups.Remove(name);
            }

            foreach (string name in names.Where(n => !_lookups.ContainsKey(n)))
                _ = FollowAsync(name, _lookups[name] = new Lookup());
            Tell();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (Lookup lookup in _lookups.Values)
                lookup.Stop.Cancel();
            _lookups.Clear();
        }
    }

    private async Task FollowAsync(string name, Lookup lookup)
    {
        // Not on the caller's time, nor under its lock.
        await Task.Yield();
        var backOff = new BackOff(Random.Shared);
        while (!lookup.Stop.IsCancellationRequested)
        {
            TimeSpan pause = await LookUpAsync(name, lookup, backOff).ConfigureAwait(false);
            await Task.Delay(pause, lookup.Stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Asks once; how long until the next time.</summary>
    private async Task<TimeSpan> LookUpAsync(string name, Lookup lookup, BackOff backOff)
    {
        try
        {
            SrvAnswer answer = await dns.FindSrvAsync(name, lookup.Stop.Token).ConfigureAwait(false);
            if (answer.Records.Count == 0)
                throw new ResolveException($"{name} has no SRV records");
            backOff.Reset();
            lookup.Problem = "";
            Take(lookup, answer.Records);
            return answer.TimeToLive < ShortestLife ? ShortestLife : answer.TimeToLive > LongestLife ? LongestLife : answer.TimeToLive;
        }
        catch (ResolveException e)
        {
            // What was known goes on being used: a name server that is away must not take the tunnel with it.
            if (e.Message != lookup.Problem)
                LogProblem(logger, e.Message);
            lookup.Problem = e.Message;
            return backOff.Next();
        }
        catch (OperationCanceledException)
        {
            return TimeSpan.Zero;
        }
    }

    private void Take(Lookup lookup, IReadOnlyList<SrvRecord> records)
    {
        lock (_lock)
        {
            if (lookup.Stop.IsCancellationRequested || lookup.Records.SequenceEqual(records))
                return;
            lookup.Records = records;
            Tell();
        }
    }

    private void Tell() => changed([.. _entries
        .SelectMany(e => e.Srv is null ? [ServerSpec.Of(e)] : ServerSpec.Of(e, _lookups[e.Srv].Records))
        .OrderBy(s => s.Priority)
        .DistinctBy(s => s.Key)]);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}; asking again")]
    private static partial void LogProblem(ILogger logger, string problem);

    private sealed class Lookup
    {
        public CancellationTokenSource Stop { get; } = new();

        public IReadOnlyList<SrvRecord> Records { get; set; } = [];

        public string Problem { get; set; } = "";
    }
}
