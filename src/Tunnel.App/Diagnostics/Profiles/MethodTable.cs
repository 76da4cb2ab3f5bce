using Tunnel.App.Diagnostics.Profiles.Nettrace;

namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>Whose code lies at an address, as the runtime tells at the end of a session.</summary>
internal sealed class MethodTable
{
    private readonly List<Method> _methods = [];
    private bool _isSorted = true;

    /// <summary>Takes a <see cref="KnownEvent.MethodCode"/>.</summary>
    public void Add(ReadOnlySpan<byte> payload)
    {
        var cursor = new PayloadCursor(payload);
        // The method's and the module's identity.
        cursor.Take(16);
        ulong start = cursor.ReadUInt64();
        uint length = (uint)cursor.ReadInt32();
        // Token and flags.
        cursor.Take(8);
        string type = cursor.ReadText();
        string name = cursor.ReadText();
        _methods.Add(new Method(start, length, type.Length == 0 ? name : $"{type}.{name}"));
        _isSorted = false;
    }

    /// <summary>The method's name with its type's; null for code that is no method's (stubs).</summary>
    /// <param name="address">In its code.</param>
    public string? Find(ulong address)
    {
        if (!_isSorted)
            _methods.Sort((a, b) => a.Start.CompareTo(b.Start));
        _isSorted = true;
        int low = 0, high = _methods.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            Method method = _methods[middle];
            if (address < method.Start)
                high = middle - 1;
            else if (address >= method.Start + method.Length)
                low = middle + 1;
            else
                return method.Name;
        }

        return null;
    }

    private readonly record struct Method(ulong Start, uint Length, string Name);
}
