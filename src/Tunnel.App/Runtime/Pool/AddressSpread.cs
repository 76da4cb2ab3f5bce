using System.Net;

namespace Tunnel.App.Runtime.Pool;

/// <summary>
/// Spreads connections over the addresses that a name has now: each goes where the fewest are, and not, while there is a choice, where
/// the last try failed. Pure; one owner at a time.
/// </summary>
/// <typeparam name="T">What holds an address.</typeparam>
/// <param name="random">Among equals, so that many clients of a name do not all begin with the same address.</param>
public sealed class AddressSpread<T>(Random random)
    where T : class
{
    /// <summary>More addresses than a resolver hands out at once mean that somebody wants to keep this client busy.</summary>
    private const int MaximumAddresses = 256;

    /// <summary>For how long an address that failed is the second choice, in milliseconds.</summary>
    private const long FailureMemory = 30_000;

    /// <summary>For how long nobody is moved from where it works to such an address.</summary>
    private const long LongFailureMemory = 120_000;

    private readonly Dictionary<T, IPAddress> _holders = [];
    private readonly Dictionary<IPAddress, long> _failedAt = [];
    private IPAddress[] _addresses = [];

    /// <summary>What the name stands for, the resolver's favourite family first, each family in an order of this client's own.</summary>
    public IReadOnlyList<IPAddress> Addresses => _addresses;

    /// <summary>The resolver's answer; never empty. What it still has keeps its place.</summary>
    public void Update(IReadOnlyList<IPAddress> resolved)
    {
        IPAddress[] wanted = [.. resolved.Distinct().Take(MaximumAddresses)];
        IPAddress[] fresh = [.. wanted.Except(_addresses)];
        random.Shuffle(fresh);
        _addresses = [.. _addresses.Intersect(wanted).Concat(fresh).OrderBy(a => a.AddressFamily != wanted[0].AddressFamily)];
        foreach (IPAddress gone in _failedAt.Keys.Except(_addresses).ToArray())
            _failedAt.Remove(gone);
    }

    /// <summary>An address for a holder, who gives back the one it had.</summary>
    /// <param name="holder">Who connects.</param>
    /// <param name="now">Milliseconds.</param>
    public IPAddress Take(T holder, long now)
    {
        _holders.Remove(holder);
        IPAddress chosen = _addresses.MinBy(a => (HasFailed(a, now, FailureMemory), CountOf(a)))!;
        return _holders[holder] = chosen;
    }

    public void Release(T holder) => _holders.Remove(holder);

    /// <summary>The address that the holder has did not answer.</summary>
    public void Failed(T holder, long now)
    {
        if (_holders.TryGetValue(holder, out IPAddress? address) && _addresses.Contains(address))
            _failedAt[address] = now;
    }

    /// <summary>The address that the holder has answered.</summary>
    public void Worked(T holder)
    {
        if (_holders.TryGetValue(holder, out IPAddress? address))
            _failedAt.Remove(address);
    }

    /// <summary>
    /// A holder that had better connect anew: its address is gone from the name, or has at least two more than another that works. Null
    /// when all is well.
    /// </summary>
    public T? Misplaced(long now)
    {
        foreach ((T holder, IPAddress address) in _holders)
        {
            if (!_addresses.Contains(address))
                return holder;
        }

        if (_addresses.Length < 2)
            return null;
        IPAddress fullest = _addresses.MaxBy(CountOf)!;
        IPAddress[] working = [.. _addresses.Where(a => !HasFailed(a, now, LongFailureMemory))];
        return working.Length != 0 && CountOf(fullest) - working.Min(CountOf) >= 2 ? _holders.First(h => h.Value.Equals(fullest)).Key : null;
    }

    private bool HasFailed(IPAddress address, long now, long memory) => _failedAt.TryGetValue(address, out long at) && now - at < memory;

    private int CountOf(IPAddress address) => _holders.Values.Count(address.Equals);
}
