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
    /// <summary>Who looks names up; the system's resolver.</summary>
    internal Func<string, CancellationToken, Task<IPAddress[]>> Resolver { get; init; } = Dns.GetHostAddressesAsync;

    /// <inheritdoc cref="FinishAsync"/>
    public ValueTask<TcpSocket> DialAsync(Target target, CancellationToken cancel) => FinishAsync(target, Begin(target), cancel);

    /// <summary>Begins with an address, which within a host is all there is to do; with a name, which is to be looked up first, nothing.</summary>
    /// <exception cref="SocketException">It cannot be connected to.</exception>
    /// <exception cref="TargetDeniedException">The policy denies it.</exception>
    internal BegunDial Begin(Target target)
    {
        DialRules now = rules();
        Activity? trace = TunnelActivities.Dial(target);
        trace?.Detach();
        if (!IPAddress.TryParse(target.Host, out IPAddress? literal))
            return new BegunDial(null, IsConnected: false, now, trace);
        try
        {
            if (!now.Policy.Permits(null, literal, target.Port))
                throw new TargetDeniedException(target);
            TcpSocket socket = TcpSocket.Connect(literal, target.Port, Reactors.OfProcess.Here(), out bool connected);
            return new BegunDial(socket, connected, now, trace);
        }
        catch (Exception e)
        {
            trace.EndDetached(e);
            throw;
        }
    }

    /// <summary>Sees a dial through. The time that it has counts from here.</summary>
    /// <exception cref="SocketException">No address answered.</exception>
    /// <exception cref="TargetDeniedException">The policy denies the name, or all of its addresses.</exception>
    /// <exception cref="TimeoutException">It took too long.</exception>
    internal ValueTask<TcpSocket> FinishAsync(Target target, BegunDial begun, CancellationToken cancel)
    {
        if (!begun.IsConnected)
            return FinishInTimeAsync(target, begun, cancel);
        begun.Trace.EndDetached();
        return new ValueTask<TcpSocket>(begun.Socket!);
    }

    /// <summary>The target's first address, for datagrams: there is no answer by which another could be tried.</summary>
    /// <exception cref="SocketException">The name does not resolve.</exception>
    /// <exception cref="TargetDeniedException">The policy denies the name, or all of its addresses.</exception>
    /// <exception cref="TimeoutException">It took too long.</exception>
    public async Task<IPEndPoint> ResolveFirstAsync(Target target, CancellationToken cancel)
    {
        (TimeSpan timeout, TargetPolicy policy) = rules();
        using CancellationTokenSource limit = Limit(timeout, cancel);
        try
        {
            IPAddress[] addresses = await ResolveAsync(target, policy, limit.Token).ConfigureAwait(false);
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

    private async ValueTask<TcpSocket> FinishInTimeAsync(Target target, BegunDial begun, CancellationToken cancel)
    {
        (TimeSpan timeout, TargetPolicy policy) = begun.Rules;
        using Activity? dialing = begun.Trace;
        using CancellationTokenSource limit = Limit(timeout, cancel);
        try
        {
            return begun.Socket is { } socket
                ? await FinishConnectingAsync(socket, limit.Token).ConfigureAwait(false)
                : await DialAnyAsync(target, policy, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            var late = new TimeoutException($"{target} did not answer within {timeout.TotalSeconds:0.#} s");
            dialing?.Fail(late);
            throw late;
        }
        catch (Exception e)
        {
            dialing?.Fail(e);
            throw;
        }
    }

    private static CancellationTokenSource Limit(TimeSpan timeout, CancellationToken cancel)
    {
        CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(timeout);
        return limit;
    }

    /// <summary>The target's addresses, less those that the policy denies.</summary>
    /// <exception cref="TargetDeniedException">None is left.</exception>
    private async ValueTask<IPAddress[]> ResolveAsync(Target target, TargetPolicy policy, CancellationToken limit)
    {
        bool isLiteral = IPAddress.TryParse(target.Host, out IPAddress? literal);
        if (!isLiteral && !policy.MayPermit(target.Host, target.Port))
            throw new TargetDeniedException(target);
        if (isLiteral)
            return policy.Permits(null, literal!, target.Port) ? [literal!] : throw new TargetDeniedException(target);
        IPAddress[] addresses = await Resolver(target.Host, limit).ConfigureAwait(false);
        IPAddress[] permitted = Permitted(addresses, target, policy);
        return permitted.Length == 0 && addresses.Length != 0 ? throw new TargetDeniedException(target) : permitted;
    }

    private static IPAddress[] Permitted(IPAddress[] addresses, Target target, TargetPolicy policy) =>
        [.. addresses.Where(a => policy.Permits(target.Host, a, target.Port))];

    private async ValueTask<TcpSocket> DialAnyAsync(Target target, TargetPolicy policy, CancellationToken limit)
    {
        IPAddress[] addresses = await ResolveAsync(target, policy, limit).ConfigureAwait(false);
        return addresses.Length == 1
            ? await ConnectAsync(addresses[0], target.Port, limit).ConfigureAwait(false)
            : await ConnectionRace.RunAsync(
                addresses.Select(address => new IPEndPoint(address, target.Port)),
                (address, lost) => ConnectAsync(address.Address, address.Port, lost).AsTask(),
                limit).ConfigureAwait(false);
    }

    private static ValueTask<TcpSocket> ConnectAsync(IPAddress address, int port, CancellationToken limit)
    {
        TcpSocket socket = TcpSocket.Connect(address, port, Reactors.OfProcess.Here(), out bool connected);
        return connected ? new ValueTask<TcpSocket>(socket) : FinishConnectingAsync(socket, limit);
    }

    private static async ValueTask<TcpSocket> FinishConnectingAsync(TcpSocket socket, CancellationToken limit)
    {
        var exchange = new SocketExchange(socket);
        try
        {
            await exchange.FinishConnectingAsync(limit).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            exchange.Dispose();
            throw;
        }
    }
}

/// <summary>A dial that has begun.</summary>
/// <param name="Socket">To a target that is an address; null for one that is a name.</param>
/// <param name="IsConnected">It is through.</param>
/// <param name="Rules">The settings that it goes by.</param>
/// <param name="Trace">Null as a rule.</param>
internal readonly record struct BegunDial(TcpSocket? Socket, bool IsConnected, DialRules Rules, Activity? Trace);

/// <summary>How targets are reached.</summary>
/// <param name="Timeout">For all of a target's addresses together.</param>
/// <param name="Policy">Which of them may be reached.</param>
public readonly record struct DialRules(TimeSpan Timeout, TargetPolicy Policy);

/// <summary>The server's policy does not let anybody go there.</summary>
public sealed class TargetDeniedException(Target target) : IOException($"{target} is denied by the policy in [targets]");
