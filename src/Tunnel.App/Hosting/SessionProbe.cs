using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Pool;
using Tunnel.App.Runtime.Resolving;
using Tunnel.App.Runtime.Traffic;
using Tunnel.Links;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Hosting;

/// <summary>
/// Tries whether a server answers a client's file: one session over the file's link, with its key, greeted as the client would, and
/// left again in order. Shows that name, route, firewall, guard and key are right, all at once.
/// </summary>
public static class SessionProbe
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    /// <summary>What came of it. Does not throw for what the network or the server does.</summary>
    /// <param name="config">The client's file.</param>
    /// <param name="timeout">How long the server may take.</param>
    /// <param name="cancel">Ends it early, without a session.</param>
    public static async Task<SessionProbeResult> RunAsync(ClientConfig config, TimeSpan timeout, CancellationToken cancel)
    {
        var problems = new LastProblem();
        using var deadlines = new DeadlineLoop();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        ConnectionPool pool = CreatePool(config, deadlines, timeout, problems);
        using var servers = new ServerDirectory(DnsClient.OfThisHost, pool.Apply, problems);
        servers.Apply(config.Servers);
        long start = Stopwatch.GetTimestamp();
        Task running = pool.RunAsync(stop.Token);
        PeerSession? up = await WaitAsync(pool, running, timeout, cancel).ConfigureAwait(false);
        TimeSpan connect = Stopwatch.GetElapsedTime(start);
        TimeSpan? roundTrip = up is not null ? await PingAsync(config, up, timeout).ConfigureAwait(false) : null;
        await stop.CancelAsync().ConfigureAwait(false);
        string? fatal = await EndAsync(running, timeout).ConfigureAwait(false);
        return up is not null
            ? new SessionProbeResult(connect, roundTrip, null)
            : new SessionProbeResult(null, null, fatal ?? problems.Text ?? $"no answer within {timeout.TotalSeconds:0.#} s");
    }

    private static ConnectionPool CreatePool(ClientConfig config, DeadlineLoop deadlines, TimeSpan timeout, ILogger logger)
    {
        var options = new ClientConnectionOptions(
            config.Transport.Profile == TransportProfile.Paqet, [], Stack.HeaderFormatOf(config.Transport));
        var parts = new ConnectionParts(
            new ClientLinks(config, logger).OpenAsync,
            Stack.CreateFactory(config.Transport, () => config.Transport.Kcp, new LimitMeter(logger), new TrafficLedger()),
            deadlines,
            options,
            FixedPort: false,
            logger);
        return new ConnectionPool(1, timeout, parts, Random.Shared);
    }

    /// <summary>The first session that comes up, of several servers' that of any.</summary>
    private static async Task<PeerSession?> WaitAsync(ConnectionPool pool, Task running, TimeSpan timeout, CancellationToken cancel)
    {
        long start = Stopwatch.GetTimestamp();
        while (!running.IsCompleted && !cancel.IsCancellationRequested && Stopwatch.GetElapsedTime(start) < timeout)
        {
            if (pool.Connections.Select(c => c.Session).FirstOrDefault(s => s is { IsClosed: false }) is { } session)
                return session;
            await Task.Delay(Look, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return null;
    }

    /// <summary>A stock kcptun peer has no ping: its session is up as soon as it is made, which shows nothing.</summary>
    private static async Task<TimeSpan?> PingAsync(ClientConfig config, PeerSession session, TimeSpan timeout)
    {
        if (config.Transport.Profile != TransportProfile.Paqet)
            return null;
        try
        {
            HeaderFormat format = Stack.HeaderFormatOf(config.Transport);
            return await StreamPing.RunAsync(session, format, timeout).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            return null;
        }
    }

    /// <summary>What ended it for good: privilege, a missing library. A session that does not end in order is left behind.</summary>
    private static async Task<string?> EndAsync(Task running, TimeSpan timeout)
    {
        try
        {
            await running.WaitAsync(timeout).ConfigureAwait(false);
            return null;
        }
        catch (LinkException e)
        {
            return e.Message;
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException)
        {
            return null;
        }
    }

    /// <summary>Keeps the last thing that a connection complained about.</summary>
    private sealed class LastProblem : ILogger
    {
        public string? Text { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel level, EventId id, TState state, Exception? e, Func<TState, Exception?, string> format)
        {
            if (IsEnabled(level))
                Text = format(state, e);
        }
    }
}

/// <summary>What came of a <see cref="SessionProbe"/>.</summary>
/// <param name="Connect">From the first packet to a session that is up; null when none came up.</param>
/// <param name="RoundTrip">Of a ping through the whole session; null where there is none (kcptun) or it was lost.</param>
/// <param name="Problem">Why no session came up; null when one did.</param>
public sealed record SessionProbeResult(TimeSpan? Connect, TimeSpan? RoundTrip, string? Problem);
