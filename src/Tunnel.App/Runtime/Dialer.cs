using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Tunnel.App.Config;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>
/// Connects to targets: literals at once, names through the resolver, the addresses that the policy permits as
/// <see cref="ConnectionRace"/> has it, all within one timeout.
/// </summary>
/// <param name="rules">The settings now; read once a dial.</param>
public sealed class Dialer(Func<DialRules> rules)
{
    public Dialer(TimeSpan timeout, TargetPolicy policy)
        : this(() => new DialRules(timeout, policy))
    {
    }

    /// <summary>Who looks names up; the system's resolver.</summary>
    internal Func<string, CancellationToken, Task<IPAddress[]>> Resolver { get; init; } = Dns.GetHostAddressesAsync;

    /// <exception cref="SocketException">No address answered.</exception>
    /// <exception cref="TargetDeniedException">The policy denies the name, or all of its addresses.</exception>
    /// <exception cref="TimeoutException">It took too long.</exception>
    public async ValueTask<TcpSocket> DialAsync(Target target, CancellationToken cancel)
    {
        using Activity? dialing = TunnelActivities.Dial(target);
        try
        {
            return await DialInTimeAsync(target, cancel).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            dialing?.Fail(e);
            throw;
        }
    }

    /// <summary>The target's first address, for datagrams: there is no answer by which another could be tried.</summary>
    /// <exception cref="SocketException">The name does not resolve.</exception>
    /// <exception cref="TargetDeniedException">The policy denies the name, or all of its addresses.</exception>
    /// <exception cref="TimeoutException">It took too long.</exception>
    public async Task<IPEndPoint> ResolveFirstAsync(Target target, CancellationToken cancel)
    {
        (TimeSpan timeout, TargetPolicy policy) = rules();
        using var limit = new DialLimit(timeout, cancel);
        try
        {
            IPAddress[] addresses = await ResolveAsync(target, policy, limit).ConfigureAwait(false);
            return addresses.Length != 0
                ? new IPEndPoint(addresses[0], target.Port)
                : throw new SocketException((int)SocketError.HostNotFound);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new TimeoutException($"{target.Host} did not resolve within {timeout.TotalSeconds:0.#} s");
        }
    }

    /// <summary>What to tell the other end about a dial that failed.</summary>
    public static DialResult ResultOf(Exception e) => e switch
    {
        TargetDeniedException => DialResult.NotAllowed,
        TimeoutException => DialResult.TimedOut,
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => DialResult.Refused,
        SocketException { SocketErrorCode: SocketError.NetworkUnreachable or SocketError.NetworkDown } => DialResult.NetworkUnreachable,
        SocketException
        {
            SocketErrorCode: SocketError.HostUnreachable or SocketError.HostDown or SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain
        } => DialResult.HostUnreachable,
        SocketException { SocketErrorCode: SocketError.TimedOut } => DialResult.TimedOut,
        SocketException { SocketErrorCode: SocketError.AccessDenied } => DialResult.NotAllowed,
        _ => DialResult.Failed,
    };

    private async ValueTask<TcpSocket> DialInTimeAsync(Target target, CancellationToken cancel)
    {
        (TimeSpan timeout, TargetPolicy policy) = rules();
        using var limit = new DialLimit(timeout, cancel);
        try
        {
            return await DialAnyAsync(target, policy, limit).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new TimeoutException($"{target} did not answer within {timeout.TotalSeconds:0.#} s");
        }
    }

    /// <summary>The target's addresses, less those that the policy denies.</summary>
    /// <exception cref="TargetDeniedException">None is left.</exception>
    private async ValueTask<IPAddress[]> ResolveAsync(Target target, TargetPolicy policy, DialLimit limit)
    {
        bool isLiteral = IPAddress.TryParse(target.Host, out IPAddress? literal);
        if (!isLiteral && !policy.MayPermit(target.Host, target.Port))
            throw new TargetDeniedException(target);
        if (isLiteral)
            return policy.Permits(null, literal!, target.Port) ? [literal!] : throw new TargetDeniedException(target);
        IPAddress[] addresses = await Resolver(target.Host, limit.Token).ConfigureAwait(false);
        IPAddress[] permitted = Permitted(addresses, target, policy);
        return permitted.Length == 0 && addresses.Length != 0 ? throw new TargetDeniedException(target) : permitted;
    }

    private static IPAddress[] Permitted(IPAddress[] addresses, Target target, TargetPolicy policy) =>
        [.. addresses.Where(a => policy.Permits(target.Host, a, target.Port))];

    private async ValueTask<TcpSocket> DialAnyAsync(Target target, TargetPolicy policy, DialLimit limit)
    {
        IPAddress[] addresses = await ResolveAsync(target, policy, limit).ConfigureAwait(false);
        return addresses.Length == 1
            ? await ConnectAsync(new IPEndPoint(addresses[0], target.Port), limit).ConfigureAwait(false)
            : await RaceAsync(addresses, target.Port, limit).ConfigureAwait(false);
    }

    private static Task<TcpSocket> RaceAsync(IPAddress[] addresses, int port, DialLimit limit) =>
        ConnectionRace.RunAsync(addresses.Select(address => new IPEndPoint(address, port)), BesideOthersAsync, limit.Token);

    private static async Task<TcpSocket> BesideOthersAsync(IPEndPoint address, CancellationToken lost)
    {
        using var limit = new DialLimit(Timeout.InfiniteTimeSpan, lost);
        return await ConnectAsync(address, limit).ConfigureAwait(false);
    }

    private static async ValueTask<TcpSocket> ConnectAsync(IPEndPoint address, DialLimit limit)
    {
        TcpSocket socket = TcpSocket.Connect(address, LocalSockets.Next(), out bool connected);
        if (connected)
            return socket;
        var exchange = new SocketExchange(socket);
        try
        {
            await exchange.FinishConnectingAsync(limit.Token).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            exchange.Dispose();
            throw;
        }
    }
}

/// <summary>The time that a dial has. Most are through before anything waits, and cost no timer.</summary>
internal sealed class DialLimit(TimeSpan timeout, CancellationToken cancel) : IDisposable
{
    private CancellationTokenSource? _source;

    /// <summary>Cancelled when the time is over, counted from the first who waits.</summary>
    public CancellationToken Token
    {
        get
        {
            if (_source is null)
            {
                _source = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                _source.CancelAfter(timeout);
            }

            return _source.Token;
        }
    }

    public void Dispose() => _source?.Dispose();
}

/// <summary>How targets are reached.</summary>
/// <param name="Timeout">For all of a target's addresses together.</param>
/// <param name="Policy">Which of them may be reached.</param>
public readonly record struct DialRules(TimeSpan Timeout, TargetPolicy Policy);

/// <summary>The server's policy does not let anybody go there.</summary>
public sealed class TargetDeniedException(Target target) : IOException($"{target} is denied by the policy in [targets]");
