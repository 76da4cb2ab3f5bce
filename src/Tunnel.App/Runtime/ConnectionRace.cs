using System.Net;
using System.Net.Sockets;
using Tunnel.Links.Sockets;

namespace Tunnel.App.Runtime;

/// <summary>
/// Connects to whichever of a name's addresses answers first (RFC 8305): each has a head start, and then the next is tried beside it, or at
/// once when it refuses. One that swallows everything, as IPv6 without a way does, would otherwise take all of the time.
/// </summary>
internal static class ConnectionRace
{
    /// <summary>The RFC's recommendation, section 5.</summary>
    private static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(250);

    /// <param name="addresses">The best first.</param>
    /// <param name="connect">Connects to one, until cancelled.</param>
    /// <param name="cancel">Ends all of it.</param>
    /// <exception cref="SocketException">None answered, or there is none.</exception>
    public static async Task<TcpSocket> RunAsync(
        IEnumerable<IPEndPoint> addresses, Func<IPEndPoint, CancellationToken, Task<TcpSocket>> connect, CancellationToken cancel)
    {
        using var decided = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var running = new Attempts();
        try
        {
            foreach (IPEndPoint address in addresses)
            {
                running.Add(connect(address, decided.Token));
                if (await running.FirstAsync(() => Task.Delay(HeadStart, decided.Token)).ConfigureAwait(false) is { } early)
                    return early;
            }

            TcpSocket? socket = await running.FirstAsync(() => Task.Delay(Timeout.Infinite, decided.Token)).ConfigureAwait(false);
            // One that has just succeeded is the caller's to close, whoever wants it still.
            if (socket is null)
                cancel.ThrowIfCancellationRequested();
            return socket ?? throw running.Failure;
        }
        finally
        {
            await decided.CancelAsync().ConfigureAwait(false);
            running.GiveUp();
        }
    }

    private sealed class Attempts
    {
        private readonly List<Task<TcpSocket>> _running = [];

        public SocketException Failure { get; private set; } = new((int)SocketError.HostNotFound);

        public void Add(Task<TcpSocket> attempt) => _running.Add(attempt);

        /// <summary>The first that succeeds; null when all have failed, or when it has taken too long.</summary>
        public async Task<TcpSocket?> FirstAsync(Func<Task> limit)
        {
            Task? over = null;
            while (_running.Count != 0)
            {
                Task<TcpSocket>? ended = _running.Find(attempt => attempt.IsCompleted);
                if (ended is null && await Task.WhenAny([.. _running, over ??= limit()]).ConfigureAwait(false) == over)
                    return null;
                if (ended is not null && await TakeAsync(ended).ConfigureAwait(false) is { } socket)
                    return socket;
            }

            return null;
        }

        /// <summary>Those that lost end by themselves; one that has just succeeded is closed.</summary>
        public void GiveUp()
        {
            foreach (Task<TcpSocket> loser in _running)
                _ = loser.ContinueWith(static lost => lost.IsCompletedSuccessfully ? lost.Result : null, TaskScheduler.Default)
                    .ContinueWith(static lost => lost.Result?.Dispose(), TaskScheduler.Default);
        }

        /// <summary>Null when it failed.</summary>
        private async Task<TcpSocket?> TakeAsync(Task<TcpSocket> ended)
        {
            _running.Remove(ended);
            try
            {
                return await ended.ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                Failure = e;
                return null;
            }
        }
    }
}
