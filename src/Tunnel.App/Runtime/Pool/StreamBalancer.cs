namespace Tunnel.App.Runtime.Pool;

/// <summary>
/// Says where the next stream goes, by turns in virtual time: a member's next turn is due its cost divided by its weight after its last
/// one, and the choice is whoever is due first. So equals share by weight, a member that costs twice as much gets half as many, and one
/// that gets worse steps back at once. Members of a higher priority number are looked at only while there is none of a lower. Pure; one
/// owner at a time.
/// </summary>
/// <remarks>
/// By turns rather than simply the cheapest: costs are known a few milliseconds late, and a burst must not all go to the one that was
/// cheapest then, nor may one that is a little worse than another get nothing. A choice is the root of a heap, O(1); that its turn was
/// taken, or a cost changed, moves one member by at most log2 n levels (ten for a thousand connections). Nothing looks at all members.
/// </remarks>
/// <typeparam name="T">What is balanced.</typeparam>
/// <param name="random">Where in its first turn a member begins, so that many clients of the same servers do not choose alike.</param>
public sealed class StreamBalancer<T>(Random random)
    where T : class
{
    private readonly SortedList<long, Group> _groups = [];

    /// <summary>Nobody is there, able or not.</summary>
    public bool IsEmpty => _groups.Count == 0;

    /// <summary>Adds a member.</summary>
    /// <param name="item">What is chosen.</param>
    /// <param name="priority">Lower is preferred.</param>
    /// <param name="weight">Its share; positive.</param>
    /// <param name="cost">What a stream costs there, positive; infinite: it takes none now.</param>
    public Member Add(T item, long priority, double weight, double cost)
    {
        var member = new Member(item) { Priority = priority, Weight = weight, Cost = cost };
        Enter(member, random.NextDouble());
        return member;
    }

    public void Remove(Member member)
    {
        Group group = _groups[member.Priority];
        group.Remove(member);
        if (group.Count == 0)
            _groups.Remove(member.Priority);
    }

    /// <summary>Another priority or weight, at once.</summary>
    public void Change(Member member, long priority, double weight)
    {
        if (member.Priority == priority)
        {
            member.Weight = weight;
            _groups[priority].Reorder(member);
            return;
        }

        Remove(member);
        (member.Priority, member.Weight) = (priority, weight);
        Enter(member, random.NextDouble());
    }

    /// <summary>Another cost, at once.</summary>
    public void Rate(Member member, double cost)
    {
        member.Cost = cost;
        _groups[member.Priority].Reorder(member);
    }

    /// <summary>Chooses a member and takes its turn; null when there is none, or none of the best priority takes streams.</summary>
    public T? Choose() => _groups.Count == 0 ? null : _groups.GetValueAtIndex(0).Choose();

    /// <summary>Who would be next if all of the best priority took streams; null when there is none.</summary>
    public T? First => _groups.Count == 0 ? null : _groups.GetValueAtIndex(0).First;

    private void Enter(Member member, double phase)
    {
        if (!_groups.TryGetValue(member.Priority, out Group? group))
            _groups.Add(member.Priority, group = new Group());
        group.Add(member, phase);
    }

    /// <summary>One of those that are balanced.</summary>
    public sealed class Member
    {
        internal Member(T item) => Item = item;

        public T Item { get; }

        public long Priority { get; internal set; }

        public double Weight { get; internal set; }

        public double Cost { get; internal set; }

        internal double LastTurn { get; set; }

        internal double Due { get; set; }

        internal int Place { get; set; }

        internal double Stride => Cost / Weight;
    }

    /// <summary>A heap of members of one priority, the first due at the root.</summary>
    private sealed class Group
    {
        private readonly List<Member> _heap = [];
        private double _now;

        public int Count => _heap.Count;

        public T First => _heap[0].Item;

        public void Add(Member member, double phase)
        {
            // An infinite cost has no part of a turn.
            member.LastTurn = double.IsFinite(member.Stride) ? _now - phase * member.Stride : _now;
            member.Due = member.LastTurn + member.Stride;
            member.Place = _heap.Count;
            _heap.Add(member);
            Rise(member);
        }

        public void Remove(Member member)
        {
            Member last = _heap[^1];
            _heap.RemoveAt(_heap.Count - 1);
            if (ReferenceEquals(last, member))
                return;
            Put(last, member.Place);
            Settle(last);
        }

        public void Reorder(Member member)
        {
            member.Due = member.LastTurn + member.Stride;
            Settle(member);
        }

        public T? Choose()
        {
            Member first = _heap[0];
            if (double.IsPositiveInfinity(first.Due))
                return null;
            // Whoever became due while it was too dear has missed those turns: nobody gets a burst to catch up.
            _now = Math.Max(_now, first.Due);
            first.LastTurn = _now;
            first.Due = _now + first.Stride;
            Sink(first);
            return first.Item;
        }

        private void Settle(Member member)
        {
            Rise(member);
            Sink(member);
        }

        private void Rise(Member member)
        {
            int place = member.Place;
            while (place > 0 && _heap[(place - 1) / 2].Due > member.Due)
            {
                Put(_heap[(place - 1) / 2], place);
                place = (place - 1) / 2;
            }

            Put(member, place);
        }

        private void Sink(Member member)
        {
            int place = member.Place;
            while (true)
            {
                int child = 2 * place + 1;
                if (child + 1 < _heap.Count && _heap[child + 1].Due < _heap[child].Due)
                    child++;
                if (child >= _heap.Count || _heap[child].Due >= member.Due)
                    break;
                Put(_heap[child], place);
                place = child;
            }

            Put(member, place);
        }

        private void Put(Member member, int place)
        {
            _heap[place] = member;
            member.Place = place;
        }
    }
}
